"""A watch that goes on whatever happens, and shows when it does not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.unit.operator import virtual_time
from tests.unit.operator.test_store import View, pod, view
from trainyard_operator.hands.cluster.api import (
    ApiError,
    ApiUnavailable,
    Expired,
    Page,
    WatchEvent,
)
from trainyard_operator.hands.cluster.informer import Informer
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.store import Store

KEY = Key("default", "fashion")
OTHER = Key("default", "other")
EXPIRED = Expired(410, "Expired", "too old resource version")
Step = WatchEvent | Exception | float


def bookmark(version: int) -> WatchEvent:
    return WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


class FakeApi:
    """Lists and watches as a test has written them down."""

    def __init__(self, lists: list[list[Page] | Exception], watches: list[list[Step]]) -> None:
        self.lists = iter(lists)
        self.watches: Iterator[list[Step]] = iter(watches)
        self.asked: list[tuple[float, str]] = []
        """When, and `list` or the version that was watched from."""

    def _note(self, what: str) -> None:
        self.asked.append((round(asyncio.get_running_loop().time() - 1000, 3), what))

    async def pages(self, *_: str | None) -> AsyncIterator[Page]:
        self._note("list")
        answer = next(self.lists)
        if isinstance(answer, Exception):
            raise answer
        for page in answer:
            yield page

    async def watch(
        self, _: str, __: str | None, selector: str, at: str
    ) -> AsyncIterator[WatchEvent]:
        assert selector == "trainyard.dev/job"
        self._note(at)
        for step in next(self.watches, [1e6]):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, WatchEvent):
                yield step
            else:
                await asyncio.sleep(step)


def informed(
    lists: list[list[Page] | Exception],
    watches: list[list[Step]],
    seconds: float = 1e4,
    look: Callable[[Informer[View]], None] | None = None,
) -> tuple[FakeApi, Store[View], list[Key]]:
    """What has become of a store after some time."""
    fake = FakeApi(lists, watches)
    store: Store[View] = Store(view)
    changed: list[Key] = []

    async def test() -> None:
        api: Any = fake
        clock = asyncio.get_running_loop().time
        informer = Informer(api, "Pod", store, changed.append, clock=clock, jitter=lambda: 1.0)
        task = asyncio.create_task(informer.run())
        await asyncio.sleep(seconds)
        if look is not None:
            look(informer)
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    virtual_time.run(test())
    return fake, store, changed


def test_a_list_then_a_watch_from_its_version() -> None:
    page: list[Page] = [([pod(3)], "7"), ([pod(5, "u2", "q", job="other")], "7")]
    fake, store, changed = informed([page], [[WatchEvent("MODIFIED", pod(8)), 1e6]])
    assert [what for _, what in fake.asked] == ["list", "7"]
    assert changed == [KEY, OTHER, KEY]
    assert store.of(KEY) == [("u1", "8")]


def test_after_a_fault_it_goes_on_from_the_last_event_or_bookmark() -> None:
    watches: list[list[Step]] = [
        [WatchEvent("ADDED", pod(8)), ApiUnavailable("cut")],
        [bookmark(12), 5.0],
        [5.0, ApiError(500, "Internal", "x")],
    ]
    fake, _, _ = informed([[([], "7")]], watches)
    assert [what for _, what in fake.asked] == ["list", "7", "8", "12", "12"]


def test_a_past_that_is_forgotten_is_listed_again_and_ghosts_go() -> None:
    lists: list[list[Page] | Exception] = [[([pod(3)], "7")], [([], "20")]]
    fake, store, changed = informed(lists, [[EXPIRED]])
    assert fake.asked == [(0, "list"), (0, "7"), (0, "list"), (0, "20")]
    assert changed == [KEY, KEY]
    assert len(store) == 0


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403, "Forbidden", "x"),
        ApiError(404, "NotFound", "x"),
        ApiError(429, "TooManyRequests", "x"),
        ApiUnavailable("x"),
        KeyError("x"),
        ValueError("x"),
    ],
)
def test_nothing_ends_it_and_it_waits_longer_and_longer(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failing: list[list[Step]] = [[error]] * 7
    fake, _, _ = informed([[([], "7")]], [*failing, [bookmark(9), 1e6]])
    times = [when for when, _ in fake.asked[1:]]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == [0.5, 1, 2, 4, 8, 10, 10]
    assert [r.message.partition(" failed")[0] for r in caplog.records] == [
        "the watch of Pod",
        "the watch of Pod goes on",
    ], "an error is told once, and that it is over"


def test_a_list_that_fails_is_tried_again() -> None:
    refused = ApiError(403, "Forbidden", "x")
    fake, store, _ = informed([refused, refused, [([pod(3)], "7")]], [])
    assert fake.asked == [(0, "list"), (0.5, "list"), (1.5, "list"), (1.5, "7")]
    assert len(store) == 1


def test_what_is_forgotten_again_and_again_is_not_asked_for_without_end() -> None:
    fake, _, _ = informed([[([], "7")]] * 100, [[EXPIRED]] * 100, seconds=60)
    assert len(fake.asked) < 30


def test_a_watch_that_ends_at_once_is_not_repeated_without_end() -> None:
    fake, _, _ = informed([[([], "7")]], [[]] * 1000, seconds=60)
    assert len(fake.asked) < 20


def test_it_is_synced_after_its_first_list() -> None:
    synced: list[bool] = []
    informed([EXPIRED] * 99, [], 1, lambda informer: synced.append(informer.synced.is_set()))
    informed([[([], "7")]], [], 1, lambda informer: synced.append(informer.synced.is_set()))
    assert synced == [False, True]


def test_a_dead_watch_shows() -> None:
    watches: list[list[Step]] = [[60.0, bookmark(8), 290.0], [1e6]]

    def since(seconds: float) -> float:
        found: list[float] = []
        look = lambda informer: found.append(informer.silent_since() - 1000)  # noqa: E731
        informed([[([], "7")]], watches, seconds, look)
        return round(found[0])

    assert since(59) == 0, "the list"
    assert since(300) == 60, "the bookmark"
    assert since(900) == 350, "the watch's regular end"


def test_thousands_of_events_let_others_have_their_turn() -> None:
    events: list[Step] = [WatchEvent("MODIFIED", pod(n)) for n in range(8, 6408)]
    fake = FakeApi([[([], "7")]], [events])
    turns = 0

    async def test() -> None:
        nonlocal turns
        api: Any = fake
        store: Store[View] = Store(view)
        clock = asyncio.get_running_loop().time
        informer = Informer(api, "Pod", store, lambda _: None, clock=clock)
        task = asyncio.create_task(informer.run())
        while store.of(KEY) != [("u1", "6407")]:
            turns += 1
            await asyncio.sleep(0)
        task.cancel()

    virtual_time.run(test())
    assert turns >= 100
