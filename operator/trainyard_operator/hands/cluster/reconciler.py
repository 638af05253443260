"""Looks at a job, decides, and carries the plan out; again and again."""

from __future__ import annotations

import asyncio
import logging
import random
import time

from trainyard_api.names import MANAGER
from trainyard_api.problems import InvalidJob
from trainyard_operator.brain.conditions import shortened
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Plan
from trainyard_operator.brain.times import to_text
from trainyard_operator.hands.cluster.actor import Actor, NotYet, Outdated
from trainyard_operator.hands.cluster.api import ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.metrics import QUEUE_LATENCY, RECONCILE_SECONDS, RECONCILES
from trainyard_operator.hands.cluster.notes import RECHECK_SECONDS, Notes
from trainyard_operator.hands.cluster.reader import Reader
from trainyard_operator.hands.cluster.replacements import AGAIN_SECONDS
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.settings import Settings

log = logging.getLogger(__name__)


class Reconciler:
    """Works the queue off."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        jobs: Jobs,
        reader: Reader,
        actor: Actor,
        notes: Notes,
        settings: Settings,
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._reader = reader
        self._actor = actor
        self._notes = notes
        self._settings = settings

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            key = await self._queue.take()
            try:
                await self._reconcile(key)
            except asyncio.CancelledError:
                raise
            except Outdated:
                self._queue.add(key)
                self._queue.done(key)
            except Exception as error:
                self._put_off(key, error)
            else:
                self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        began = time.perf_counter()
        try:
            observed = self._reader.look(key)
        except InvalidJob as error:
            await self._refuse(key, error)
            return
        if observed is None:
            return
        if self._notes.has_taken(key):
            await self._actor.look_at_names(key, observed.job)
            observed = self._reader.look(key) or observed
        plan = decide(observed, self._settings, time.time())
        changed = await self._actor.carry_out(key, observed, plan)
        self._queue.add(key, 0.0 if changed else self._next_look(key, observed, plan))
        RECONCILE_SECONDS.observe(time.perf_counter() - began)
        QUEUE_LATENCY.observe(self._queue.waited(key))
        RECONCILES.labels("done").inc()

    def _next_look(self, key: Key, observed: Observed, plan: Plan) -> float:
        """When to look at the latest. Nothing depends on it that events tell; they may be lost."""
        spread = self._settings.resync_seconds * (0.75 + random.random() / 2)
        at = time.time() + spread
        if plan.look_again is not None:
            at = min(at, plan.look_again)
        if plan.replace:
            # It was withheld: it is as it was brought a moment ago.
            at = min(at, time.time() + AGAIN_SECONDS)
        if observed.foreign or self._notes.has_taken(key):
            at = min(at, time.time() + RECHECK_SECONDS)
        return at

    def _put_off(self, key: Key, error: Exception) -> None:
        """Work that failed comes again, from what there is then."""
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

        One that has begun was written by a later version in the middle of an upgrade, and goes
        on; one that others manage is theirs.
        """
        log.warning("refused: %s", error, extra={"job": str(key)})
        if self._jobs.managed_by(key) not in (None, MANAGER):
            return
        status, message = self._jobs.status(key), shortened(str(error))
        if status.get("run") or _says(status, message):
            return
        condition = {
            "type": "Accepted",
            "status": "False",
            "reason": "InvalidSpec",
            "message": message,
            "lastTransitionTime": to_text(time.time()),
        }
        await self._actor.refuse(key, condition)


def _says(status: dict[str, object], message: str) -> bool:
    """Whether a status refuses its job by a message already."""
    conditions = status.get("conditions")
    return status.get("phase") == "Failed" and any(
        condition.get("type") == "Accepted" and condition.get("message") == message
        for condition in (conditions if isinstance(conditions, list) else ())
    )
