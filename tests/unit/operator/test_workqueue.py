"""The work queue under any use: no key is lost, none is worked on twice at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from trainyard_operator.hands.cluster import workqueue
from trainyard_operator.hands.cluster.workqueue import WorkQueue

KEYS = st.sampled_from("abcde")


class Uses(RuleBasedStateMachine):
    """A queue beside what it must know."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.offset = 1000.0, 1.8e9
        self.patch = pytest.MonkeyPatch()
        clock = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now + self.offset)
        self.patch.setattr(workqueue, "time", clock)
        self.loop = asyncio.new_event_loop()
        self.queue: WorkQueue[str] = WorkQueue()
        self.due: dict[str, float] = {}
        self.working: dict[str, float] = {}
        """Keys that are worked on, and since when."""
        self.again: dict[str, float] = {}
        self.failures: dict[str, tuple[int, float]] = {}
        """How often each has failed after its wait, and until when it waits now."""

    def teardown(self) -> None:
        """However it was used: what was added is worked on."""
        for key in list(self.working):
            self.done(key)
        self.now += 1e6
        left = set(self.due)
        while left:
            taken = self.taken()
            assert taken is not None
            left.remove(taken)
            self.queue.done(taken)
        assert self.taken() is None
        self.loop.close()
        self.patch.undo()

    def taken(self) -> str | None:
        """The key that a worker gets now; None where it waits, and then goes away."""

        async def take() -> str | None:
            worker = asyncio.create_task(self.queue.take())
            for _ in range(4):
                await asyncio.sleep(0)
            if worker.done():
                return worker.result()
            worker.cancel()
            return None

        return self.loop.run_until_complete(take())

    def expect(self, key: str, at: float) -> None:
        table = self.again if key in self.working else self.due
        table[key] = min(at, table.get(key, at))

    @rule(key=KEYS)
    def something_happens(self, key: str) -> None:
        self.queue.add(key)
        self.expect(key, self.now)

    @rule(key=KEYS, seconds=st.integers(-100, 100))
    def it_is_due_at_a_time(self, key: str, seconds: int) -> None:
        self.queue.add(key, self.now + self.offset + seconds)
        self.expect(key, self.now + max(0, seconds))

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(seconds=st.integers(-100_000, 100_000))
    def somebody_sets_the_clock(self, seconds: int) -> None:
        self.offset += seconds

    @rule()
    def a_worker_takes(self) -> None:
        due = {key: at for key, at in self.due.items() if at <= self.now}
        key = self.taken()
        if key is None:
            assert not due
            return
        assert key not in self.working
        assert self.due[key] == min(due.values()), "what is due for longest comes first"
        assert self.queue.waited(key) == self.now - self.due.pop(key)
        self.working[key] = self.now

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def it_is_done(self, data: st.DataObject) -> None:
        self.done(data.draw(st.sampled_from(sorted(self.working))))

    def done(self, key: str) -> None:
        self.queue.done(key)
        self.failures.pop(key, None)
        self.released(key)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def it_fails(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.working)))
        delay = self.queue.failed(key)
        count, until = self.failures.get(key, (0, self.now))
        count += self.now >= until
        self.failures[key] = count, self.now + delay
        assert delay == min(60.0, 0.5 * 2 ** (count - 1))
        self.released(key)
        self.expect(key, self.now + delay)

    def released(self, key: str) -> None:
        del self.working[key]
        if key in self.again:
            self.expect(key, self.again.pop(key))

    @invariant()
    def it_knows_how_much_is_left(self) -> None:
        assert len(self.queue) == len(self.due)
        begun = min(self.working.values(), default=self.now)
        assert self.queue.longest() == self.now - begun


TestUses = Uses.TestCase
TestUses.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, derandomize=True
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that a test sets."""
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = clock.time = lambda: clock.now
    monkeypatch.setattr(workqueue, "time", clock)
    return clock


async def test_failed_work_comes_back_later_and_later(clock: SimpleNamespace) -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("job")
    delays = []
    for _ in range(3):
        assert await queue.take() == "job"
        delays.append(queue.failed("job"))
        clock.now += delays[-1]
    assert delays == [0.5, 1.0, 2.0]


async def test_what_happens_to_a_job_during_a_short_outage_does_not_put_it_off_for_long(
    clock: SimpleNamespace,
) -> None:
    """Three seconds in which every request fails, and ten events of a job's pods meanwhile."""
    queue: WorkQueue[str] = WorkQueue()
    for event in range(10):
        clock.now = event * 0.3
        queue.add("job")
        assert await queue.take() == "job"
        delay = queue.failed("job")
    assert delay <= 3.0


async def test_a_worker_that_waits_gets_what_is_added_and_only_one_of_them() -> None:
    queue: WorkQueue[str] = WorkQueue()
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add("a")
    queue.add("b")
    done, waiting = await asyncio.wait(workers, timeout=0.2)
    assert sorted(worker.result() for worker in done) == ["a", "b"]
    for worker in waiting:
        worker.cancel()


@pytest.mark.parametrize("turns", range(5))
async def test_a_worker_ends_when_it_is_cancelled_although_a_key_comes_at_that_moment(
    turns: int,
) -> None:
    """Else an operator that no longer leads would go on."""
    queue: WorkQueue[int] = WorkQueue()

    async def work() -> None:
        while True:
            queue.done(await queue.take())

    queue.add(99, 1e10)
    working = asyncio.create_task(work())
    for _ in range(5):
        await asyncio.sleep(0)
    queue.add(1)
    for _ in range(turns):
        await asyncio.sleep(0)
    working.cancel()
    ended, _ = await asyncio.wait({working}, timeout=1)
    working.cancel()
    assert ended, "the cancellation was lost"
