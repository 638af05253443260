"""An HTTP server in place of the API server, which answers as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import kopf
from aiohttp import web

from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.connection import Connection, TokenFile, open_session

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(answer: Answer, token: TokenFile | None = None) -> AsyncIterator[Api]:
    """An Api whose every request `answer` gets."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    api = Api(Connection(open_session(kopf.ConnectionInfo(server=server)), server, token))
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


def json(body: Any, status: int = 200, **headers: str) -> web.Response:
    """An answer in JSON."""
    return web.json_response(body, status=status, headers=headers)
