"""The way from an operator to the API server, on which things go wrong on command.

What a reader of Kubernetes' contract may rely on holds here too: the events of one object come in
their order, but for old ones that come once more, and none of a deleted object after its deletion.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import yaml
from aiohttp import web
from yarl import URL

from benchmarks.controlplane.api import Access, Object
from tests.chaos.weather import CALM, Weather

_HOST = "127.0.0.1"
_PASSED_ON = ("Accept", "Content-Type", "User-Agent")
_SERVER_FAULTS = (500, 502, 503, 504)
_UPSTREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
_REMEMBERED = 200
"""Objects of a watch whose last events may come once more."""


class _Broken(Exception):
    """The connection is broken in the middle."""


class Proxy:
    """Use as `async with`."""

    def __init__(self, access: Access, dice: random.Random, kubeconfig: Path) -> None:
        """Args:
        access: to the API server.
        dice: decide what befalls a request.
        kubeconfig: is written, for who is to go this way.
        """
        self._access = access
        self._dice = dice
        self._kubeconfig = kubeconfig
        self._weather = CALM
        self._passes = asyncio.Event()
        self._passes.set()

    async def __aenter__(self) -> Proxy:
        connector = aiohttp.TCPConnector(limit=0, ssl=self._access.context())
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None), shutdown_timeout=0.5
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        port = self._runner.addresses[0][1]
        self._kubeconfig.write_text(yaml.safe_dump(_build_kubeconfig(f"http://{_HOST}:{port}")))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.set(CALM)
        await self._session.close()
        await self._runner.cleanup()

    def set(self, weather: Weather) -> None:
        """Let it be like this from now on."""
        self._weather = weather
        if weather.hangs:
            self._passes.clear()
        else:
            self._passes.set()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        try:
            await self._passes.wait()
            if _has_left(request):
                raise _Broken
            await self._hold_up()
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            return await self._pass_on(request, body)
        except (_Broken, aiohttp.ClientError, OSError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        weather = self._weather
        if self._befalls(weather.refused):
            code = self._dice.choice(_SERVER_FAULTS)
            if code in (502, 504):
                return web.Response(status=code, text="<html>Bad Gateway</html>")
            return _status(code, "InternalError", "the storm")
        if self._befalls(weather.throttled):
            answer = _status(429, "TooManyRequests", "later")
            answer.headers["Retry-After"] = "1"
            return answer
        if request.method != "GET" and self._befalls(weather.conflicts):
            return _status(409, "Conflict", "the object has been modified")
        if _is_watch(request) and self._befalls(weather.expired):
            return _status(410, "Expired", "too old resource version")
        return None

    async def _pass_on(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers["Accept-Encoding"] = "identity"
        async with self._session.request(
            request.method,
            URL(self._access.server + request.raw_path, encoded=True),
            data=body or None,
            headers=headers,
            timeout=_UPSTREAM_TIMEOUT,
        ) as response:
            if _is_watch(request) and response.status == 200:
                return await self._stream(request, response)
            content = await response.read()
        if request.method != "GET" and self._befalls(self._weather.lost):
            raise _Broken
        await self._passes.wait()
        kept = ("Content-Type", "Retry-After")
        answered = {name: response.headers[name] for name in kept if name in response.headers}
        return web.Response(status=response.status, body=content, headers=answered)

    async def _stream(
        self, request: web.BaseRequest, source: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        said: dict[str, list[bytes]] = {}
        async for line in _lines(source):
            await self._passes.wait()
            await self._hold_up()
            if self._befalls(self._weather.expired):
                gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
                await answer.write(orjson.dumps({"type": "ERROR", "object": gone}) + b"\n")
                break
            if self._befalls(self._weather.cut):
                await answer.write(line[: self._dice.randrange(len(line))])
                raise _Broken
            _remember(said, line)
            await answer.write(line + b"\n" + self._old_event(said))
        with contextlib.suppress(ConnectionError):
            await answer.write_eof()
        return answer

    def _old_event(self, said: dict[str, list[bytes]]) -> bytes:
        if not said or not self._befalls(self._weather.repeated):
            return b""
        return self._dice.choice(said[self._dice.choice(list(said))]) + b"\n"

    async def _hold_up(self) -> None:
        if self._weather.delay:
            await asyncio.sleep(self._dice.uniform(0.0, self._weather.delay))

    def _befalls(self, share: float) -> bool:
        return share > 0 and self._dice.random() < share


def _is_watch(request: web.BaseRequest) -> bool:
    return request.query.get("watch") in ("true", "1")


def _has_left(request: web.BaseRequest) -> bool:
    """Whether who has asked no longer waits: what is still on the way is lost with it."""
    return request.transport is None or request.transport.is_closing()


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


def _remember(said: dict[str, list[bytes]], line: bytes) -> None:
    """Keep an event for later, but none of an object that is gone: that is not told of again."""
    event = orjson.loads(line)
    uid = event["object"]["metadata"].get("uid")
    if uid is None:
        return
    before = said.pop(uid, [])
    if event["type"] != "DELETED":
        said[uid] = [*before[-2:], line]
        if len(said) > _REMEMBERED:
            del said[next(iter(said))]


def _status(code: int, reason: str, message: str) -> web.Response:
    content = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return web.json_response({**content, "reason": reason, "message": message}, status=code)


def _build_kubeconfig(server: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "chaos", "cluster": {"server": server}}],
        "users": [{"name": "operator", "user": {}}],
        "contexts": [{"name": "chaos", "context": {"cluster": "chaos", "user": "operator"}}],
        "current-context": "chaos",
    }
