"""At most one operator acts, and one acts again within 15 s whatever happens to the first."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.operator import virtual_time
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.lease import Election, LeadershipLost


class Server:
    """An API server that has one Lease."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.version = 0

    def write(self, lease: Manifest) -> Manifest:
        self.version += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self.version)}
        self.lease = {**lease, "metadata": metadata}
        return self.lease

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""


class Wire:
    """One candidate's way to the server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cut = False
        """Nothing comes through, and nobody says so."""
        self.error: Exception | None = None
        self.lost_answers = 0
        """So many writes will be done, and their answers lost."""

    async def _through(self) -> None:
        await asyncio.sleep(0.01)
        if self.cut:
            await asyncio.sleep(1e6)
        if self.error is not None:
            raise self.error

    async def get(self, *_: str) -> Manifest | None:
        await self._through()
        lease = self.server.lease
        await self._through()
        return lease

    async def create(self, manifest: Manifest) -> Manifest:
        await self._through()
        if self.server.lease is not None:
            raise ApiError(409, "AlreadyExists", "there is one")
        return self.server.write(manifest)

    async def update(self, manifest: Manifest) -> Manifest:
        await self._through()
        lease = self.server.lease
        if lease is None:
            raise ApiError(404, "NotFound", "there is none")
        if lease["metadata"]["resourceVersion"] != manifest["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", "it has changed")
        written = self.server.write(manifest)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ApiUnavailable("cut off")
        return written


class Candidate:
    """An operator that does nothing but lead."""

    def __init__(self, server: Server, identity: str) -> None:
        self.wire = Wire(server)
        api: Any = self.wire
        self.election = Election(api, "trainyard", "operator", identity)
        self.works = False
        self.task = asyncio.create_task(self.election.lead(self.work))

    async def work(self) -> None:
        self.works = True
        try:
            await asyncio.sleep(1e6)
        finally:
            self.works = False

    @property
    def acts(self) -> bool:
        return self.works and self.election.leads


@contextlib.asynccontextmanager
async def candidates(*names: str) -> AsyncIterator[list[Candidate]]:
    server = Server()
    found = [Candidate(server, name) for name in names]
    try:
        yield found
    finally:
        for candidate in found:
            candidate.task.cancel()
        await asyncio.gather(*(c.task for c in found), return_exceptions=True)


async def seconds_until(candidate: Candidate, limit: float = 60) -> float:
    """Seconds until a candidate acts."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while not candidate.acts:
        assert clock() < began + limit, "it never leads"
        await asyncio.sleep(0.05)
    return clock() - began


def test_one_leads_and_the_other_waits() -> None:
    async def test() -> None:
        async with candidates("a", "b") as (a, b):
            assert await seconds_until(a) < 1
            for _ in range(600):
                await asyncio.sleep(1)
                assert a.acts
                assert not b.works

    virtual_time.run(test())


def test_a_candidate_that_is_cut_off_stops_before_another_takes_over_within_15_s() -> None:
    async def test() -> None:
        async with candidates("a", "b") as (a, b):
            await seconds_until(a)
            for delay in (0.0, 0.5, 1.0, 1.5):
                await asyncio.sleep(delay)
            a.wire.cut = True
            with pytest.raises(LeadershipLost, match="not renewed for 8"):
                await a.task
            assert not a.works
            assert not b.works, "it stops before others may begin"
            assert await seconds_until(b) < 15 - 6

    virtual_time.run(test())


@pytest.mark.parametrize("moment", [0.0, 0.7, 1.3, 1.9])
def test_takeover_after_a_kill_takes_at_most_15_s(moment: float) -> None:
    async def test() -> None:
        async with candidates("a") as (a,):
            await seconds_until(a)
            await asyncio.sleep(4 + moment)
            b = Candidate(a.wire.server, "b")
            await asyncio.sleep(5)
            a.wire.error = ApiUnavailable("killed")  # what is dead says nothing to anybody
            assert 6 < await seconds_until(b) < 15
            b.task.cancel()

    virtual_time.run(test())


def test_a_lease_that_is_given_back_is_taken_at_the_next_look() -> None:
    async def test() -> None:
        async with candidates("a", "b") as (a, b):
            await seconds_until(a)
            await asyncio.sleep(5)
            a.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await a.task
            assert a.wire.server.holder == ""
            assert await seconds_until(b) < 2.5

    virtual_time.run(test())


def test_the_lease_is_held_until_the_work_has_ended() -> None:
    async def test() -> None:
        server = Server()
        api: Any = Wire(server)

        async def work() -> None:
            try:
                await asyncio.sleep(1e6)
            finally:
                await asyncio.sleep(30)
                assert server.holder == "a"

        election = Election(api, "trainyard", "operator", "a")
        task = asyncio.create_task(election.lead(work))
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.sleep(20)
        assert election.leads, "others would do what it still does"
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.holder == ""

    virtual_time.run(test())


@pytest.mark.parametrize("failure", [None, ValueError("boom")])
def test_the_end_of_the_work_is_the_end_of_leading(failure: Exception | None) -> None:
    async def test() -> None:
        server = Server()
        api: Any = Wire(server)

        async def work() -> None:
            if failure is not None:
                raise failure

        with pytest.raises(ValueError, match="boom") if failure else contextlib.nullcontext():
            await Election(api, "trainyard", "operator", "a").lead(work)
        assert server.holder == ""

    virtual_time.run(test())


@pytest.mark.parametrize("when", ["1970-01-01T00:00:00.000000Z", "2970-01-01T00:00:00.000000Z"])
def test_clocks_of_others_do_not_matter(when: str) -> None:
    async def test() -> None:
        async with candidates("a") as (a,):
            spec = {"holderIdentity": "x", "leaseDurationSeconds": 10, "renewTime": when}
            a.wire.server.write({"metadata": {}, "spec": spec})
            assert 10 <= await seconds_until(a) < 12.5

    virtual_time.run(test())


def test_errors_for_some_seconds_cost_nothing() -> None:
    async def test() -> None:
        async with candidates("a", "b") as (a, b):
            await seconds_until(a)
            for error in (ApiError(500, "", "etcd"), ApiError(429, "", ""), ApiUnavailable()):
                a.wire.error = error
                await asyncio.sleep(5)
                assert a.acts
                a.wire.error = None
                await asyncio.sleep(5)
                assert a.acts
            assert not b.works

    virtual_time.run(test())


def test_a_renewal_whose_answer_is_lost_is_no_conflict_with_another() -> None:
    async def test() -> None:
        async with candidates("a", "b") as (a, b):
            await seconds_until(a)
            a.wire.lost_answers = 3
            await asyncio.sleep(60)
            assert a.acts
            assert not b.works

    virtual_time.run(test())


def test_a_lease_that_somebody_deletes_is_made_again() -> None:
    async def test() -> None:
        async with candidates("a") as (a,):
            await seconds_until(a)
            a.wire.server.lease = None
            await asyncio.sleep(5)
            assert a.acts
            assert a.wire.server.holder == "a"

    virtual_time.run(test())


def test_a_lease_that_another_holds_is_lost_at_once() -> None:
    async def test() -> None:
        async with candidates("a") as (a,):
            await seconds_until(a)
            lease = a.wire.server.lease
            assert lease is not None
            a.wire.server.write({**lease, "spec": {**lease["spec"], "holderIdentity": "x"}})
            await asyncio.sleep(2.5)
            with pytest.raises(LeadershipLost, match="x leads"):
                await a.task

    virtual_time.run(test())


def test_a_process_that_stood_still_knows_that_it_must_not_act() -> None:
    async def test() -> None:
        async with candidates("a") as (a,):
            await seconds_until(a)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, virtual_time.VirtualLoop)
            loop.jump(9)
            assert not a.election.leads, "even before anything else has run"
            with pytest.raises(LeadershipLost):
                await a.task

    virtual_time.run(test())


@pytest.mark.parametrize("seed", range(20))
def test_two_never_act_at_once_and_one_soon_does_again(seed: int) -> None:
    async def test() -> None:
        dice = random.Random(seed)
        async with candidates("a", "b", "c") as alive:
            server, idle = alive[0].wire.server, 0.0
            for step in range(6000):
                await asyncio.sleep(0.1)
                for candidate in [c for c in alive if c.task.done()]:
                    with contextlib.suppress(LeadershipLost, asyncio.CancelledError):
                        candidate.task.result()
                    alive.remove(candidate)
                    alive.append(Candidate(server, f"{step}-{len(alive)}"))
                if dice.random() < 0.01:
                    wire = dice.choice(alive).wire
                    wire.cut = not wire.cut
                    wire.lost_answers = dice.choice((0, 0, 1, 2))
                if dice.random() < 0.003:
                    dice.choice(alive).task.cancel()
                assert sum(c.acts for c in alive) <= 1
                connected = any(not c.wire.cut for c in alive)
                idle = 0.0 if any(c.acts for c in alive) or not connected else idle + 0.1
                assert idle < 20

    virtual_time.run(test())
