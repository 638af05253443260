"""Finds jobs that are gone although no watch has said so.

When kopf's watch has been away for too long, kopf lists all jobs anew, and does not say which of
those that it has told of before are missing. So after each such list, it is asked which jobs
there are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from trainyard_api.names import KIND
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key

log = logging.getLogger(__name__)

QUIET_SECONDS = 2.0
_AGAIN_SECONDS = 10.0


class Ghosts:
    """Looks for jobs that are gone, after every list."""

    def __init__(
        self, api: Api, jobs: Jobs, changed: Callable[[Key], None], namespace: str | None
    ) -> None:
        self._api = api
        self._jobs = jobs
        self._changed = changed
        self._namespace = namespace
        self._listed = asyncio.Event()

    def listed(self) -> None:
        """A list has told of a job."""
        self._listed.set()

    async def run(self) -> None:
        """Look until cancelled. The first list is no reason: nothing was known before it."""
        self._listed.clear()
        while True:
            await self._listed.wait()
            while self._listed.is_set():
                self._listed.clear()
                await asyncio.sleep(QUIET_SECONDS)
            try:
                there, version = await self._api.metadata(KIND, self._namespace)
            except (ApiError, ApiUnavailable) as error:
                log.warning("jobs cannot be listed: %s", error)
                self._listed.set()
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            for key in self._jobs.listed(there, version):
                log.info("is gone", extra={"job": str(key)})
                self._changed(key)
