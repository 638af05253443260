"""Records what `kubectl describe` shows of a job.

Beside the decisions and one at a time: no job waits until another's event is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time

from trainyard_api.names import API_VERSION, KIND
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain import times
from trainyard_operator.brain.plan import Event, Manifest
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.recent import remember

log = logging.getLogger(__name__)

AGAIN_SECONDS = 600.0
"""A warning of the same words is not repeated before: not all of what is told stands in status."""
_REMEMBERED = 1000
_WAITING = 10_000
"""Events that may wait to be recorded."""
_LAST_SECONDS = 2.0
"""How long what still waits is recorded when the operator is told to end."""
_numbers = itertools.count()


class Events:
    """Records events. One that cannot be recorded costs nothing but itself, and is in the log."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._told: dict[tuple[str, str, str], float] = {}
        self._waiting: asyncio.Queue[tuple[Key, Manifest]] = asyncio.Queue(_WAITING)

    def tell(self, key: Key, job: TrainingJob, event: Event) -> None:
        """Log an event of a job, and let it be recorded."""
        if self._is_repeated(job, event):
            return
        log.info("%s: %s", event.reason, event.message, extra={"job": str(key)})
        try:
            self._waiting.put_nowait((key, build_event(job, event, time.time())))
        except asyncio.QueueFull:
            log.warning("event not recorded: too many wait", extra={"job": str(key)})

    async def record(self) -> None:
        """Record what has been told until cancelled, and then what still waits."""
        try:
            while True:
                await self._record(*await self._waiting.get())
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_SECONDS):
                    while not self._waiting.empty():
                        await self._record(*self._waiting.get_nowait())
            raise

    async def _record(self, key: Key, event: Manifest) -> None:
        try:
            await self._api.create(event)
        except (ApiError, ApiUnavailable) as error:
            log.warning("event not recorded: %s", error, extra={"job": str(key)})

    def _is_repeated(self, job: TrainingJob, event: Event) -> bool:
        if event.type == "Normal":
            return False
        told, now = (job.metadata.uid, event.reason, event.message), time.monotonic()
        before = self._told.get(told)
        if before is None or now >= before + AGAIN_SECONDS:
            remember(self._told, told, now, _REMEMBERED)
            return False
        remember(self._told, told, before, _REMEMBERED)
        return True


def build_event(job: TrainingJob, event: Event, now: float) -> Manifest:
    """An Event as `kubectl describe` shows it."""
    metadata, when = job.metadata, times.to_text(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "namespace": metadata.namespace,
            "name": f"{metadata.name}.{int(now * 1e6):x}{next(_numbers) % 4096:03x}",
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": metadata.namespace,
            "name": metadata.name,
            "uid": metadata.uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": "trainyard"},
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
    }
