"""Whether the operator is alive, as the kubelet asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from trainyard_operator.hands.cluster.health import (
    SILENT_SECONDS,
    STUCK_SECONDS,
    Check,
    serve_health,
    silence,
    stuck,
)


class State:
    """What a test makes of the operator."""

    def __init__(self) -> None:
        self.ready, self.problem = True, ""


@asynccontextmanager
async def served(state: State, checks: Iterable[Check]) -> AsyncIterator[str]:
    runner = await serve_health(0, lambda: state.ready, checks)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ({}, ""),
        ({"pods": 0.0, "jobs": SILENT_SECONDS}, ""),
        ({"pods": SILENT_SECONDS + 1, "jobs": 3.0}, "no news for 360 s of pods"),
        ({"pods": 1e9, "jobs": float("inf")}, "no news for 360 s of pods, jobs"),
    ],
)
def test_a_watch_is_dead_that_was_not_heard_of(ages: dict[str, float], said: str) -> None:
    assert silence(lambda: ages)() == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, ""),
        (STUCK_SECONDS, ""),
        (STUCK_SECONDS + 1, "a job has been worked on for 601 s"),
    ],
)
def test_work_that_never_ends_is_told(seconds: float, said: str) -> None:
    assert stuck(lambda: seconds)() == said


async def test_what_is_wrong_is_said_and_no_longer_when_it_is_not() -> None:
    state = State()
    fine: Check = lambda: ""  # noqa: E731
    async with served(state, iter([fine, lambda: state.problem, fine])) as url:
        assert await get(f"{url}/healthz") == (200, "ok\n")
        state.problem = "no news for 360 s of pods"
        assert await get(f"{url}/healthz") == (503, "no news for 360 s of pods\n")
        state.problem = ""
        assert await get(f"{url}/healthz") == (200, "ok\n")


async def test_an_operator_that_only_waits_for_its_turn_is_alive_and_not_ready() -> None:
    state = State()
    state.ready = False
    async with served(state, []) as url:
        assert await get(f"{url}/readyz") == (503, "starting\n")
        assert (await get(f"{url}/healthz"))[0] == 200
        state.ready = True
        assert await get(f"{url}/readyz") == (200, "ok\n")


async def test_metrics_are_in_the_form_of_prometheus() -> None:
    async with served(State(), []) as url:
        status, text = await get(f"{url}/metrics")
        assert status == 200
        assert "# TYPE" in text
        assert (await get(f"{url}/elsewhere"))[0] == 404
