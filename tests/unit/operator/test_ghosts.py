"""Jobs that went while the watch was away are found after the next list."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from tests.unit.operator.stand import KEY, job_manifest
from tests.unit.operator.virtual_time import run
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.ghosts import QUIET_SECONDS, Ghosts
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key


class Listed(Api):
    """An API server that lists jobs."""

    def __init__(self) -> None:
        self.there: list[Manifest] = [job_manifest()]
        self.version = "20"
        self.errors: list[Exception] = []
        self.lists = 0

    async def metadata(self, kind: str, namespace: str | None) -> tuple[list[Manifest], str]:
        assert (kind, namespace) == ("TrainingJob", "ours")
        self.lists += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.there, self.version


class Haunted:
    """One job that is known."""

    def __init__(self) -> None:
        self.api, self.jobs, self.woken = Listed(), Jobs(), list[Key]()
        self.jobs.happened(job_manifest())
        self.ghosts = Ghosts(self.api, self.jobs, self.woken.append, "ours")

    @asynccontextmanager
    async def looking(self):
        task = asyncio.create_task(self.ghosts.run())
        await asyncio.sleep(0)
        yield
        assert not task.done(), "nobody looks any more"
        task.cancel()


def test_the_first_list_is_no_reason_to_look() -> None:
    async def story() -> None:
        haunted = Haunted()
        haunted.ghosts.listed()
        async with haunted.looking():
            await asyncio.sleep(600)
        assert haunted.api.lists == 0

    run(story())


def test_many_jobs_of_one_list_are_one_look_when_it_is_quiet() -> None:
    async def story() -> None:
        haunted = Haunted()
        async with haunted.looking():
            for _ in range(50):
                haunted.ghosts.listed()
                await asyncio.sleep(QUIET_SECONDS / 2)
            assert haunted.api.lists == 0
            await asyncio.sleep(2 * QUIET_SECONDS)
            assert haunted.api.lists == 1
            await asyncio.sleep(600)
        assert haunted.api.lists == 1
        assert haunted.woken == []
        assert KEY in haunted.jobs

    run(story())


def test_a_job_that_is_gone_is_told_once() -> None:
    async def story() -> None:
        haunted = Haunted()
        haunted.api.there = []
        async with haunted.looking():
            for _ in range(2):
                haunted.ghosts.listed()
                await asyncio.sleep(10)
        assert haunted.woken == [KEY]
        assert KEY not in haunted.jobs

    run(story())


def test_a_job_that_came_after_the_list_is_no_ghost() -> None:
    async def story() -> None:
        haunted = Haunted()
        haunted.api.there, haunted.api.version = [], "6"
        async with haunted.looking():
            haunted.ghosts.listed()
            await asyncio.sleep(10)
        assert haunted.woken == []
        assert KEY in haunted.jobs

    run(story())


def test_a_list_that_fails_is_made_again() -> None:
    async def story() -> None:
        haunted = Haunted()
        haunted.api.there = []
        haunted.api.errors = [ApiUnavailable("gone"), ApiError(500, "InternalError", "etcd")]
        async with haunted.looking():
            haunted.ghosts.listed()
            await asyncio.sleep(60)
        assert haunted.api.lists == 3
        assert haunted.woken == [KEY]

    run(story())
