"""Connections of clients that are too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from trainyard_api.listening import listen
from trainyard_serving import connections
from trainyard_serving.app import build_app

GET = b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def port(service, monkeypatch) -> AsyncIterator[int]:
    """A server on loopback that waits a tenth of a second for headers."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.1)
    app = build_app(service.served, service.readiness)
    config = uvicorn.Config(
        app, http=connections.PatientProtocol, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    sock = listen("127.0.0.1", 0)
    task = asyncio.create_task(server._serve([sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield sock.getsockname()[1]
    server.should_exit = True
    await task


async def test_a_client_that_sends_nothing_is_closed(port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


async def test_a_client_that_sends_headers_byte_by_byte_is_closed(port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip() -> None:
        for byte in GET[:-2] * 10:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert await asyncio.wait_for(reader.read(), 2) == b""
    dripping.cancel()
    writer.close()


async def test_a_kept_connection_may_rest_between_two_requests(port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(GET)
        head = await asyncio.wait_for(reader.readuntil(b"}"), 2)
        assert head.startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.3)
    writer.close()
