"""The operator of a cluster: its parts put together, and kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator

from prometheus_client.registry import REGISTRY

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster import health
from trainyard_operator.hands.cluster.actor import Actor
from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.chiefs import Chiefs
from trainyard_operator.hands.cluster.children import Children
from trainyard_operator.hands.cluster.complaints import Complaints
from trainyard_operator.hands.cluster.connection import Connection
from trainyard_operator.hands.cluster.events import Events
from trainyard_operator.hands.cluster.ghosts import Ghosts
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.lease import Election
from trainyard_operator.hands.cluster.metrics import StateCollector
from trainyard_operator.hands.cluster.notes import Notes
from trainyard_operator.hands.cluster.reader import Reader
from trainyard_operator.hands.cluster.reconciler import Reconciler
from trainyard_operator.hands.cluster.watching import JobWatch
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.hands.progress import open_progress_session
from trainyard_operator.settings import Settings

log = logging.getLogger(__name__)

WORKERS = 16
LISTED_SECONDS = 15.0
"""How long jobs that were counted are waited for at the start; one may be deleted meanwhile."""


class Operator:
    """The operator, from its start to its end."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        """Args:
        connection: to the API server.
        settings: of the installation.
        """
        self._settings = settings
        self._connection = connection
        namespace = settings.watch_namespace
        self._election: Election | None = None
        if settings.lease_namespace:
            self._election = Election(
                Api(connection), settings.lease_namespace, settings.lease_name, _identity()
            )
        api = Api(connection, self._may_write)
        self._queue: WorkQueue[Key] = WorkQueue()
        self._jobs = Jobs()
        self._children = Children(api, self._changed, namespace or None)
        self._ghosts = Ghosts(api, self._jobs, self._changed, namespace or None)
        self._watch = JobWatch(api, namespace, self._job_told)
        self._session = open_progress_session()
        self._chiefs = Chiefs(self._session, self._queue.add, settings.progress_seconds)
        self._complaints = Complaints(api, self._queue.add)
        notes = Notes()
        reader = Reader(self._jobs, self._children, notes, self._chiefs, self._complaints)
        self._events = Events(api)
        actor = Actor(api, self._jobs, self._children, notes, self._events)
        self._reconciler = Reconciler(self._queue, self._jobs, reader, actor, notes, settings)
        self._knows_jobs = asyncio.Event()
        self._acts = False

    async def run(self) -> None:
        """Act as long as this operator may, until cancelled.

        One that stands by knows the jobs already, which take the longest to read. Their objects it
        reads when it takes over: what another has done to them a moment ago may be on its way.

        Raises:
            LeadershipLost: another acts from now on, so this process has to end.
        """
        acting = self._act() if self._election is None else self._election.lead(self._act)
        parts = [asyncio.create_task(self._follow()), asyncio.create_task(acting)]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            ends = await asyncio.gather(*parts, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    @contextlib.asynccontextmanager
    async def serving_health(self) -> AsyncIterator[None]:
        """Serve metrics and health meanwhile."""
        collector = StateCollector(
            lambda: self._jobs.phases() if self._acts else {},
            self._queue.__len__,
            lambda: self._acts,
        )
        REGISTRY.register(collector)
        checks = (health.silence(self._silences), health.stuck(self._queue.longest))
        runner = await health.serve_health(self._settings.metrics_port, self._is_ready, checks)
        try:
            yield
        finally:
            await runner.cleanup()
            REGISTRY.unregister(collector)

    async def close(self) -> None:
        """Close connections."""
        await self._session.close()
        await self._connection.close()

    def _may_write(self) -> bool:
        return self._election is None or self._election.leads

    def _is_ready(self) -> bool:
        """Whether it acts, or stands by to do so."""
        stands_by = self._election is not None and self._election.stands_by
        return self._acts or (stands_by and self._knows_jobs.is_set())

    def _silences(self) -> dict[str, float]:
        """Seconds for which each watch has heard nothing."""
        ages = {"TrainingJob": self._watch.silent_for()} if self._knows_jobs.is_set() else {}
        if not self._acts:
            return ages
        now = time.monotonic()
        informers = self._children.informers.items()
        return {**ages, **{kind: now - informer.silent_since() for kind, informer in informers}}

    async def _follow(self) -> None:
        """Know all jobs until cancelled; should any part of it end, all of it does."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run())
            await self._know_jobs()
            self._knows_jobs.set()
            tasks.create_task(self._ghosts.run())

    async def _act(self) -> None:
        """Work until cancelled; should any part of it end, all of it does."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._children.watch())
                # Everything is known first: a job without its pods would get new ones.
                await self._children.synced()
                await self._knows_jobs.wait()
                self._acts = True
                log.info("%d jobs are known; deciding", len(self._jobs))
                for key in self._jobs.keys() | self._children.keys():
                    self._queue.add(key)
                tasks.create_task(self._chiefs.ask())
                tasks.create_task(self._complaints.ask())
                tasks.create_task(self._events.record())
                for _ in range(WORKERS):
                    tasks.create_task(self._reconciler.work())
        finally:
            self._acts = False

    async def _know_jobs(self) -> None:
        """Wait until all jobs are known that there were at the start."""
        while self._watch.expected is None:
            await asyncio.sleep(0.05)
        began = time.monotonic()
        while len(self._jobs) < self._watch.expected:
            if time.monotonic() > began + LISTED_SECONDS:
                log.info("%d jobs were expected", self._watch.expected)
                return
            await asyncio.sleep(0.05)

    def _changed(self, key: Key) -> None:
        """Something is new of a job. Who begins to act looks at all of them anyway."""
        if self._acts:
            self._queue.add(key)

    def _job_told(self, kind: str | None, manifest: Manifest) -> None:
        """What the watch says of a job."""
        metadata = manifest["metadata"]
        if kind == "DELETED":
            key = Key(metadata["namespace"], metadata["name"])
            if self._jobs.gone(key, metadata["uid"]):
                self._changed(key)
            return
        if kind is None:
            self._ghosts.listed()
        if (news := self._jobs.happened(manifest)) is not None:
            self._changed(news)


def _identity() -> str:
    """Of this process and of no other."""
    return f"{socket.gethostname()}_{os.getpid()}_{os.urandom(4).hex()}"
