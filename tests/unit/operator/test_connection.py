"""Who we are to the API server, also after the token has been renewed."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from tests.unit.operator.api_server import json, served
from trainyard_operator.hands.cluster.api import ApiError
from trainyard_operator.hands.cluster.connection import NotConfigured, TokenFile, connect


async def test_a_renewed_token_is_read_at_once_when_the_old_one_is_refused(
    tmp_path: Path,
) -> None:
    path, sent = tmp_path / "token", []
    path.write_text("old\n")

    async def answer(request: web.Request) -> web.Response:
        sent.append((request.headers["Authorization"], await request.text()))
        refused = sent[-1][0] == "Bearer old"
        return json({"reason": "Unauthorized"}, 401) if refused else json({})

    async with served(answer, TokenFile(path)) as api:
        path.write_text("new\n")
        await api.create({"kind": "Pod", "metadata": {"namespace": "default"}})
        await api.get("Pod", "default", "p")
    body = '{"kind":"Pod","metadata":{"namespace":"default"}}'
    assert sent == [("Bearer old", body), ("Bearer new", body), ("Bearer new", "")]


async def test_a_token_that_is_refused_and_not_renewed_is_tried_once(tmp_path: Path) -> None:
    path, requests = tmp_path / "token", []
    path.write_text("old")

    async def answer(request: web.Request) -> web.Response:
        requests.append(request.path)
        return json({"reason": "Unauthorized"}, 401)

    async with served(answer, TokenFile(path)) as api:
        with pytest.raises(ApiError, match="401"):
            await api.get("Pod", "default", "p")
    assert len(requests) == 1


def test_a_token_is_read_again_once_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    path = tmp_path / "token"
    path.write_text("old")
    token = TokenFile(path)
    path.write_text("new")
    now += 59
    assert token.current() == "old"
    now += 1
    assert token.current() == "new"
    path.unlink()
    now += 60
    assert token.current() == "new", "a file that is not there just now costs nothing"


async def test_without_a_pod_and_a_kubeconfig_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NotConfigured, match="KUBECONFIG"):
        await connect()
