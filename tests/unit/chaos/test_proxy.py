"""The way to the API server fails as it is told to, and in no other way."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from yarl import URL

from benchmarks.controlplane.api import Access
from tests.chaos.proxy import Proxy
from tests.chaos.weather import CALM, Weather

EVENTS = [
    {"type": kind, "object": {"metadata": {"uid": "u", "resourceVersion": str(version)}}}
    for version, kind in enumerate(("ADDED", "MODIFIED", "DELETED", "ADDED"), 1)
]
EVENTS[-1]["object"] = {"metadata": {"uid": "other", "resourceVersion": "4"}}


class PlainAccess(Access):
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context()


@dataclass
class Way:
    """A proxy, an API server behind it, and who goes this way."""

    proxy: Proxy
    session: aiohttp.ClientSession
    asked: list[str] = field(default_factory=list)

    async def events(self) -> list[dict[str, object]]:
        async with self.session.get("/pods?watch=true") as response:
            text = await response.text()
        return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Way]:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(f"{request.method} {request.raw_path} {await request.text()}".strip())
        if "watch" not in request.query:
            return web.json_response({"asked": len(asked)}, status=201)
        lines = "".join(json.dumps(event) + "\n" for event in EVENTS)
        return web.Response(text=lines)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    access = PlainAccess(f"http://127.0.0.1:{runner.addresses[0][1]}", folder)
    kubeconfig = folder / "kubeconfig"
    async with Proxy(access, random.Random(1), kubeconfig) as proxy:
        server = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        async with aiohttp.ClientSession(server) as session:
            yield Way(proxy, session, asked)
    await runner.cleanup()


async def test_in_calm_weather_everything_passes(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        async with way.session.post(URL("/pods?x=%2C", encoded=True), data='{"a": 1}') as response:
            assert response.status == 201
        assert way.asked == ['POST /pods?x=%2C {"a": 1}']
        assert await way.events() == EVENTS


async def test_a_lost_answer_is_that_of_a_write_that_happened(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.proxy.set(Weather(lost=1.0))
        with pytest.raises(aiohttp.ClientError):
            await way.session.post("/pods", data="x")
        assert way.asked == ["POST /pods x"]
        async with way.session.get("/pods") as response:
            assert response.status == 201, "what only reads is answered"


@pytest.mark.parametrize(
    ("weather", "statuses"),
    [
        (Weather(refused=1.0), {500, 502, 503, 504}),
        (Weather(throttled=1.0), {429}),
        (Weather(conflicts=1.0), {409}),
    ],
)
async def test_what_is_refused_never_reaches_the_api_server(
    tmp_path: Path, weather: Weather, statuses: set[int]
) -> None:
    async with opened(tmp_path) as way:
        way.proxy.set(weather)
        async with way.session.post("/pods", data="x") as response:
            assert response.status in statuses
        assert way.asked == []


async def test_a_watch_is_cut_in_the_middle_of_a_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.proxy.set(Weather(cut=1.0))
        with pytest.raises(aiohttp.ClientError):
            await way.events()


async def test_old_events_come_again_but_none_of_what_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.proxy.set(Weather(repeated=1.0))
        versions = [e["object"]["metadata"]["resourceVersion"] for e in await way.events()]  # type: ignore[index]
        assert versions[:3] == ["1", "1", "2"]
        assert versions[3] in ("1", "2")
        assert versions[4:] == ["3", "4", "4"]


async def test_what_hangs_passes_when_it_is_calm_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.proxy.set(Weather(hangs=True))
        asking = asyncio.create_task(way.events())
        await asyncio.sleep(0.1)
        assert way.asked == []
        way.proxy.set(CALM)
        assert await asking == EVENTS
