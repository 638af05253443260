"""What a stranger's program can say to who asks for its progress: anything, and it harms nobody."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from tests.unit.operator.strangers import Talk, answering, talking
from trainyard_api.reported import MAX_METRICS
from trainyard_api.status import Progress
from trainyard_operator.hands import progress
from trainyard_operator.hands.cluster.chiefs import Chiefs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.progress import (
    MAX_BYTES,
    MAX_WORDS,
    open_progress_session,
    parse_progress,
    read_progress,
)

SAID = b'{"percent": 42, "epoch": 2, "epochs": 5, "metrics": {"loss": 0.5}}'
KEY = Key("default", "fashion")


async def read(address: str) -> Progress | None:
    async with open_progress_session() as session:
        return await read_progress(session, address)


async def said(body: bytes, **headers: str) -> Progress | None:
    """What is read of an answer."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    async with answering(answer) as address:
        return await read(address)


async def test_a_chief_says_how_far_it_is() -> None:
    read_back = await said(SAID)
    assert read_back is not None
    assert (read_back.percent, read_back.epoch) == (42, 2)
    assert read_back.metrics == {"loss": 0.5}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"null",
        b"[]",
        b'"words"',
        b'{"percent": 142}',
        b'{"percent": -1}',
        b'{"percent": 4.5}',
        b'{"percent": "many"}',
        b'{"epoch": ' + b"9" * 5000 + b"}",
        b'{"epoch": 9007199254740992}',
        b'{"epoch": -1}',
        b'{"secondsLeft": -1}',
        b'{"metrics": [1, 2]}',
        b'{"metrics": {"loss": "low"}}',
        b'{"message": "caf\xe9"}',
        b'{"message": "\\ud800"}',
        b"\xff\xfe\x00",
        b"[" * 60000,
        b'{"metrics":' * 6000,
        SAID + b" " * MAX_BYTES,
    ],
    ids=lambda body: body[:30],
)
async def test_nonsense_is_no_progress(body: bytes) -> None:
    assert await said(body) is None


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"null"])
async def test_a_metric_that_is_no_number_is_left_out(number: bytes) -> None:
    read_back = await said(b'{"percent": 7, "metrics": {"loss": ' + number + b', "f1": 0.5}}')
    assert read_back is not None
    assert read_back.metrics == {"f1": 0.5}


def test_only_so_much_is_taken_as_a_person_would_read() -> None:
    metrics = ", ".join(f'"m{number}": 1' for number in range(500))
    text = f'{{"message": "{"x" * 9000}", "metrics": {{"{"n" * 99}": 1, {metrics}}}}}'
    read_back = parse_progress(text.encode())
    assert read_back is not None
    assert len(read_back.message) == MAX_WORDS
    assert len(read_back.metrics) == MAX_METRICS
    assert "n" * 99 not in read_back.metrics


async def test_a_body_of_300_mb_is_not_read() -> None:
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(300):
            await response.write(b" " * 2**20)
            sent += 1
        return response

    began = time.monotonic()
    async with answering(flood) as address:
        assert await read(address) is None
    assert time.monotonic() - began < 2.0
    assert sent < 50


async def test_a_length_that_is_announced_is_not_believed() -> None:
    async def boast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n" + SAID)
        await writer.drain()

    async with talking(boast) as address:
        assert await read(address) is None


async def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < MAX_BYTES
    headers = {"Content-Encoding": "gzip"}
    began = time.monotonic()
    assert await said(bomb, **headers) is None
    assert time.monotonic() - began < 1.0


async def test_nobody_is_led_elsewhere() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=SAID)

    async with answering(elsewhere) as other:

        async def answer(_: web.Request) -> web.Response:
            raise web.HTTPFound(f"http://{other}/progress")

        async with answering(answer) as address:
            assert await read(address) is None
    assert asked == []


async def test_a_cookie_is_not_kept() -> None:
    cookies: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(body=SAID, headers={"Set-Cookie": "who=chief"})

    async with answering(answer) as address, open_progress_session() as session:
        for _ in range(2):
            assert await read_progress(session, address) is not None
    assert cookies == [None, None]


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.1)


async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """It listens, and never says a word."""
    while await reader.read(1024):
        pass


@pytest.mark.parametrize("talk", [drip, keep_silent])
async def test_a_chief_that_is_too_slow_is_left_in_time(talk: Talk) -> None:
    began = time.monotonic()
    async with talking(talk) as address:
        assert await read(address) is None
    assert time.monotonic() - began < 3.0


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n\x00: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nxxx",
        b"HTTP/1.1 999999999999 \r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=lambda words: words[:40],
)
async def test_what_is_no_answer_is_no_progress(words: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        await writer.drain()

    async with talking(talk) as address:
        assert await read(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no such host:80", "[::1", "256.1.1.1:x", ":"])
async def test_an_address_where_nobody_answers_is_no_progress(address: str) -> None:
    assert await read(address) is None


# Many of them, side by side.


@asynccontextmanager
async def asked(woken: list[Key], every: float = 0.05) -> AsyncIterator[Chiefs]:
    """Chiefs that are asked while the test runs."""
    async with open_progress_session() as session:
        chiefs = Chiefs(session, woken.append, every)
        asking = asyncio.create_task(chiefs.ask())
        try:
            yield chiefs
        finally:
            assert not asking.done(), "the questions have ended"
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Program:
    """A program whose words a test sets."""

    def __init__(self) -> None:
        self.percent: int | None = 1
        self.questions = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.questions += 1
        if self.percent is None:
            return web.Response(status=503)
        return web.json_response({"percent": self.percent})


def percent(chiefs: Chiefs, key: Key = KEY) -> int | None:
    last = chiefs.said(key)
    return last.percent if last is not None else None


async def test_a_job_is_looked_at_when_a_person_would_see_a_difference() -> None:
    woken: list[Key] = []
    program = Program()
    async with answering(program.answer) as address, asked(woken) as chiefs:
        chiefs.follow(KEY, address)
        await until(lambda: program.questions > 5)
        assert woken == [KEY], "it says the same again and again"
        program.percent = 2
        await until(lambda: percent(chiefs) == 2)
        assert woken == [KEY, KEY]


async def test_a_chief_that_falls_silent_keeps_what_it_said_and_is_asked_less() -> None:
    woken: list[Key] = []
    program = Program()
    async with answering(program.answer) as address, asked(woken) as chiefs:
        chiefs.follow(KEY, address)
        await until(lambda: percent(chiefs) == 1)
        program.percent, program.questions = None, 0
        await asyncio.sleep(1.2)
        assert 2 <= program.questions <= 6, "not twenty times"
        assert percent(chiefs) == 1
        program.percent = 3
        await until(lambda: percent(chiefs) == 3)
        program.questions = 0
        await asyncio.sleep(0.5)
        assert program.questions > 4, "one that answers again is asked as often as any"


async def test_another_attempts_chief_is_asked_at_once_and_has_not_said_what_the_last_did() -> None:
    woken: list[Key] = []
    first, second = Program(), Program()
    second.percent = 9
    async with (
        answering(first.answer) as one,
        answering(second.answer) as other,
        asked(woken, every=60.0) as chiefs,
    ):
        chiefs.follow(KEY, one)
        await until(lambda: percent(chiefs) == 1)
        chiefs.follow(KEY, other)
        assert percent(chiefs) is None
        await until(lambda: percent(chiefs) == 9)
        assert first.questions == 1


async def test_an_answer_that_comes_after_the_attempt_is_over_is_nobodys() -> None:
    woken: list[Key] = []
    answer_now = asyncio.Event()
    second = Program()
    second.percent = 9

    async def slow(_: web.Request) -> web.Response:
        await answer_now.wait()
        return web.json_response({"percent": 1})

    async with (
        answering(slow) as one,
        answering(second.answer) as other,
        asked(woken, every=60.0) as chiefs,
    ):
        chiefs.follow(KEY, one)
        await asyncio.sleep(0.2)
        chiefs.follow(KEY, other)
        answer_now.set()
        await until(lambda: percent(chiefs) == 9)
        assert woken == [KEY]


async def test_nobody_asks_for_a_job_that_runs_no_longer() -> None:
    woken: list[Key] = []
    program = Program()
    async with answering(program.answer) as address, asked(woken) as chiefs:
        chiefs.follow(KEY, address)
        await until(lambda: program.questions > 2)
        chiefs.follow(KEY, "")
        assert chiefs.said(KEY) is None
        await asyncio.sleep(0.2)
        program.questions = 0
        await asyncio.sleep(0.3)
        assert program.questions == 0


@pytest.mark.parametrize("talk", [drip, keep_silent])
async def test_a_hundred_dead_chiefs_hold_up_no_other(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a place for as long as one question may last: one after the other, 30 s."""
    monkeypatch.setattr(progress, "_TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    woken: list[Key] = []
    program = Program()
    async with (
        talking(talk) as dead,
        answering(program.answer) as alive,
        asked(woken, 0.5) as chiefs,
    ):
        for number in range(100):
            chiefs.follow(Key("default", f"dead-{number}"), dead)
        chiefs.follow(KEY, alive)
        await until(lambda: percent(chiefs) == 1, 15.0)
        program.percent = 2
        await until(lambda: percent(chiefs) == 2, 15.0)
        assert chiefs.said(Key("default", "dead-0")) is None
