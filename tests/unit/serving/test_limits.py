"""What one process refuses to take on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import numpy as np
import pytest

from trainyard_serving import body as body_module
from trainyard_serving.settings import Limits

PREDICT = "/v1/models/digits:predict"


async def test_a_body_that_announces_too_many_bytes_gets_413(start) -> None:
    service = start(limits=Limits(max_body_bytes=1000))
    response = await service.client.post(PREDICT, content=b"1" * 1001)
    assert response.status_code == 413
    assert "larger than 1000 bytes" in response.json()["error"]


async def test_a_body_without_a_length_is_stopped_while_it_is_read(start) -> None:
    service = start(limits=Limits(max_body_bytes=1000))
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b"1" * 100

    response = await service.client.post(PREDICT, content=endless())
    assert response.status_code == 413
    assert sent <= 1100


async def test_too_many_rows_get_413_and_the_limit(start, images) -> None:
    service = start(limits=Limits(max_rows=10))
    ten = await service.client.post(PREDICT, json={"instances": images[:10].tolist()})
    eleven = await service.client.post(PREDICT, json={"instances": images[:11].tolist()})
    assert (ten.status_code, eleven.status_code) == (200, 413)
    assert "has 11 rows; send at most 10" in eleven.json()["error"]


async def test_too_many_requests_at_once_get_429_and_the_others_are_answered(start, images) -> None:
    service = start(limits=Limits(max_in_flight=2))
    may_go_on = asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b'{"instances": '
        await may_go_on.wait()
        yield f"{images[:1].tolist()}}}".encode()

    slow = [asyncio.create_task(service.client.post(PREDICT, content=slow_body())) for _ in "12"]
    await asyncio.sleep(0.05)
    refused = await service.client.post(PREDICT, json={"instances": images[:1].tolist()})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert "2 requests are in flight" in refused.json()["error"]
    may_go_on.set()
    assert [response.status_code for response in await asyncio.gather(*slow)] == [200, 200]
    again = await service.client.post(PREDICT, json={"instances": images[:1].tolist()})
    assert again.status_code == 200


async def test_large_bodies_together_are_bounded_too(start) -> None:
    service = start(limits=Limits(max_body_bytes=1000))
    may_go_on = asyncio.Event()

    async def large_body() -> AsyncIterator[bytes]:
        yield b"1" * 900
        await may_go_on.wait()

    slow = [asyncio.create_task(service.client.post(PREDICT, content=large_body())) for _ in "12"]
    await asyncio.sleep(0.05)
    refused = await service.client.post(PREDICT, content=b"1" * 900)
    assert refused.status_code == 429
    may_go_on.set()
    assert [response.status_code for response in await asyncio.gather(*slow)] == [400, 400]
    assert (await service.client.post(PREDICT, content=b"1" * 900)).status_code == 400


async def test_a_body_that_does_not_come_gets_408(start, monkeypatch) -> None:
    monkeypatch.setattr(body_module, "BODY_SECONDS", 0.05)
    service = start()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    response = await service.client.post(PREDICT, content=stalled())
    assert response.status_code == 408
    assert response.headers["connection"] == "close"


async def test_a_compressed_body_gets_415(service) -> None:
    headers = {"Content-Encoding": "gzip"}
    response = await service.client.post(PREDICT, content=b"\x1f\x8b", headers=headers)
    assert response.status_code == 415


async def test_probes_are_answered_while_a_large_request_is_computed(
    service, images, monkeypatch
) -> None:
    release = threading.Event()
    model = service.served.model
    monkeypatch.setattr(
        service.served,
        "model",
        _Waiting(model.input, model.output, model.row_seconds, release),
    )
    many = np.tile(images, (14, 1, 1, 1)).tolist()
    large = asyncio.create_task(service.client.post(PREDICT, json={"instances": many}))
    await asyncio.sleep(0.2)
    probe = await asyncio.wait_for(service.client.get("/healthz/live"), 1)
    assert probe.status_code == 200
    assert not large.done()
    release.set()
    assert (await large).status_code == 200


class _Waiting:
    """A model that computes until it is released."""

    contract = None

    def __init__(self, input, output, row_seconds, release: threading.Event) -> None:
        self.input, self.output, self.row_seconds = input, output, row_seconds
        self._release = release

    def predict(self, rows: np.ndarray) -> np.ndarray:
        assert self._release.wait(10)
        return np.zeros((len(rows), 3), np.float32)


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v2/models", "/v1/models/digits/versions/1"])
async def test_an_unknown_path_gets_404_and_where_to_ask(service, path) -> None:
    response = await service.client.get(path)
    assert response.status_code == 404
    assert "GET / says where to ask" in response.json()["error"]
