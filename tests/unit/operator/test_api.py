"""What the API server is asked, and what its answers become."""

from __future__ import annotations

import json as standard_json
from typing import Any

import pytest
from aiohttp import web

from tests.unit.operator.api_server import json, served
from trainyard_operator.brain.plan import ObjectRef
from trainyard_operator.hands.cluster.api import (
    Api,
    ApiError,
    ApiUnavailable,
    Expired,
    WatchEvent,
)

POD = ObjectRef("Pod", "p")
PODS = "/api/v1/namespaces/default/pods"


async def watched(api: Api) -> list[WatchEvent]:
    return [event async for event in api.watch("Pod", None, "trainyard.dev/job", "7")]


def event(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"name": name}, **more}}


def stream(*lines: bytes) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        return response

    return answer


async def test_what_is_not_there_is_none() -> None:
    async def answer(_: web.Request) -> web.Response:
        return json({"kind": "Status", "reason": "NotFound"}, 404)

    async with served(answer) as api:
        assert await api.get("Pod", "default", "p") is None
        assert await api.delete("default", POD) is None


async def test_a_list_is_read_page_by_page_and_has_the_version_to_watch_from() -> None:
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append({"path": request.path, **request.query})
        first = "continue" not in request.query
        metadata = {"resourceVersion": "12"} | ({"continue": "a/b="} if first else {})
        return json({"metadata": metadata, "items": [{"n": len(asked)}]})

    async with served(answer) as api:
        assert await api.list("Pod", None, "trainyard.dev/job=x") == ([{"n": 1}, {"n": 2}], "12")
        assert await api.list("Pod", "default") == ([{"n": 3}, {"n": 4}], "12")
    assert asked[0] == {
        "path": "/api/v1/pods",
        "limit": "100",
        "labelSelector": "trainyard.dev/job=x",
    }
    assert asked[1]["continue"] == "a/b="
    assert asked[2] == {"path": PODS, "limit": "100"}


async def test_a_deletion_names_what_it_means() -> None:
    bodies = []

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return json({"kind": "Status", "status": "Success"})

    async with served(answer) as api:
        assert await api.delete("default", POD) == {"kind": "Status", "status": "Success"}
        await api.delete("default", POD, version="7", uid="u")
    assert bodies == [
        {"propagationPolicy": "Background"},
        {
            "propagationPolicy": "Background",
            "preconditions": {"resourceVersion": "7", "uid": "u"},
        },
    ]


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("Wed, 21 Oct 2026", None)])
async def test_an_error_says_when_to_ask_again(header: str, seconds: float | None) -> None:
    async def answer(_: web.Request) -> web.Response:
        status = {"reason": "TooManyRequests", "message": "slowly"}
        return json(status, 429, **{"Retry-After": header})

    async with served(answer) as api:
        with pytest.raises(ApiError, match="429 TooManyRequests: slowly") as caught:
            await api.create({"kind": "Pod", "metadata": {"namespace": "default"}})
    assert caught.value.retry_after == seconds
    assert caught.value.ordinary


async def test_a_page_of_a_proxy_is_an_error_with_its_text() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<h1>bad gateway</h1>", status=502)

    async with served(answer) as api:
        with pytest.raises(ApiError, match="bad gateway"):
            await api.get("Pod", "default", "p")


async def test_an_answer_that_is_no_json_is_not_the_api_servers() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<h1>welcome</h1>")

    async with served(answer) as api:
        with pytest.raises(ApiUnavailable, match="welcome"):
            await api.get("Pod", "default", "p")


async def test_a_connection_that_is_cut_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with served(answer) as api:
        with pytest.raises(ApiUnavailable):
            await api.create({"kind": "Pod", "metadata": {"namespace": "default"}})
        with pytest.raises(ApiUnavailable):
            await watched(api)


async def test_half_a_character_in_what_a_pod_said_is_sent_all_the_same() -> None:
    bodies: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return json({})

    async with served(answer) as api:
        await api.update_status("default", "fashion", "7", {"message": "\ud800"})
    assert standard_json.loads(bodies[0])["status"] == {"message": "\ud800"}


async def test_a_watch_says_what_happens_and_asks_for_bookmarks() -> None:
    asked: dict[str, str] = {}
    lines = [standard_json.dumps(event(kind, "p")).encode() for kind in ("ADDED", "BOOKMARK")]

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.update(request.query)
        response: web.StreamResponse = await stream(b"\n".join(lines) + b"\n")(request)
        return response

    async with served(answer) as api:
        assert [e.type for e in await watched(api)] == ["ADDED", "BOOKMARK"]
    assert asked == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "290",
        "resourceVersion": "7",
        "labelSelector": "trainyard.dev/job",
    }


async def test_an_object_of_a_megabyte_and_a_half_comes_through_a_watch() -> None:
    big = standard_json.dumps(event("ADDED", "p", data="x" * 1_500_000)).encode()
    small = standard_json.dumps(event("MODIFIED", "q")).encode()
    async with served(stream(big + b"\n" + small[:9], small[9:] + b"\n")) as api:
        first, second = await watched(api)
    assert len(first.object["data"]) == 1_500_000
    assert second.object["metadata"]["name"] == "q"


async def test_an_event_that_was_cut_off_is_left_out() -> None:
    whole = standard_json.dumps(event("ADDED", "p")).encode() + b"\n"
    async with served(stream(whole, whole[:20])) as api:
        assert len(await watched(api)) == 1


@pytest.mark.parametrize(("code", "kind"), [(410, Expired), (500, ApiError)])
async def test_a_watch_that_fails_says_how(code: int, kind: type[ApiError]) -> None:
    status = {"kind": "Status", "code": code, "reason": "x", "message": "too old"}
    line = standard_json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"

    async def refuse(_: web.Request) -> web.Response:
        return json(status, code)

    for answer in (stream(line), refuse):
        async with served(answer) as api:
            with pytest.raises(kind, match="too old") as caught:
                await watched(api)
        assert caught.value.status == code


@pytest.mark.parametrize("line", [b"{bad\n", b"[]\n", b'{"type": "ADDED"}\n'])
async def test_a_watch_that_speaks_no_events_is_unavailable(line: bytes) -> None:
    async with served(stream(line)) as api:
        with pytest.raises(ApiUnavailable):
            await watched(api)
