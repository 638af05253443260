"""What is read of a job is never older than the last event that was heard of it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from tests.unit.operator.fake_cluster import make_job
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.observer import Observer

KEY = Key("default", "fashion")


class SlowApi:
    """An API server whose answers can be held back."""

    def __init__(self) -> None:
        self.pods: list[Manifest] = []
        self.gate = asyncio.Event()
        self.requests = 0

    async def get(self, *_: str) -> Manifest:
        return make_job().to_dict()

    async def list(self, kind: str, *_: str) -> tuple[list[Manifest], str]:
        self.requests += 1
        answer = list(self.pods) if kind == "Pod" else []
        await self.gate.wait()
        return answer, "1"


def pod() -> Manifest:
    labels = {"trainyard.dev/stage": "train", "trainyard.dev/run": "x"}
    return {
        "metadata": {"name": "p", "labels": labels},
        "spec": {"containers": [{"name": "trainer", "image": "x"}]},
    }


async def test_an_event_during_a_read_makes_the_next_look_read_again() -> None:
    api: Any = SlowApi()
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session)
        first = asyncio.create_task(observer.observe(KEY))
        await asyncio.sleep(0)
        while api.requests < 4:
            await asyncio.sleep(0)
        api.pods.append(pod())
        observer.forget(KEY)
        api.gate.set()
        before = await first
        assert before is not None
        assert before.pods == []
        after = await observer.observe(KEY)
        assert after is not None
        assert [p.name for p in after.pods] == ["p"]


async def test_without_an_event_nothing_is_read_again() -> None:
    api: Any = SlowApi()
    api.gate.set()
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session)
        await observer.observe(KEY)
        requests = api.requests
        await observer.observe(KEY)
        assert api.requests == requests
