"""Looks at a job, decides, and carries the plan out; again and again."""

from __future__ import annotations

import asyncio
import logging
import time

from trainyard_api.names import KIND
from trainyard_api.problems import InvalidJob
from trainyard_operator.brain.conditions import shortened
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.plan import ObjectRef
from trainyard_operator.brain.times import to_text
from trainyard_operator.hands.cluster.actor import Actor, NotYet
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.metrics import RECONCILE_SECONDS, RECONCILES
from trainyard_operator.hands.cluster.observer import Observer
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.settings import Settings

log = logging.getLogger(__name__)


class Reconciler:
    """Works the queue off."""

    def __init__(
        self, api: Api, observer: Observer, queue: WorkQueue[Key], settings: Settings
    ) -> None:
        self._api = api
        self._observer = observer
        self._actor = Actor(api, observer)
        self._queue = queue
        self._settings = settings

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            key = await self._queue.take()
            try:
                await self._reconcile(key)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._put_off(key, error)
            else:
                self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        with RECONCILE_SECONDS.time():
            try:
                observed = await self._observer.observe(key)
            except InvalidJob as error:
                await self._refuse(key, error)
                return
            if observed is None:
                return
            plan = decide(observed, self._settings, time.time())
            await self._actor.carry_out(key, observed.job, plan)
        RECONCILES.labels("done").inc()
        resync = time.time() + self._settings.resync_seconds
        self._queue.add(key, min(plan.look_again or resync, resync))

    def _put_off(self, key: Key, error: Exception) -> None:
        """Work that failed comes again, from what there is then."""
        self._observer.forget(key)
        delay = self._queue.failed(key)
        ordinary = isinstance(error, NotYet | ApiUnavailable) or (
            isinstance(error, ApiError) and error.ordinary
        )
        RECONCILES.labels("again" if ordinary else "failed").inc()
        log.log(
            logging.INFO if ordinary else logging.ERROR,
            "again in %.1f s: %s",
            delay,
            error,
            extra={"job": str(key)},
            exc_info=None if ordinary else error,
        )

    async def _refuse(self, key: Key, error: InvalidJob) -> None:
        """A job that came past the schema: say so in its status, and leave it alone.

        One that has begun was written by a later version in the middle of an upgrade: it goes on.
        """
        log.warning("refused: %s", error, extra={"job": str(key)})
        if self._observer.stored_status(key).get("run"):
            return
        condition = {
            "type": "Accepted",
            "status": "False",
            "reason": "InvalidSpec",
            "message": shortened(str(error)),
            "lastTransitionTime": to_text(time.time()),
        }
        patch = {"status": {"phase": "Failed", "conditions": [condition]}}
        await self._api.patch_status(key.namespace, ObjectRef(KIND, key.name), patch)
