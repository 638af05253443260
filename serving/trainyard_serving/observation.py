"""Counts and times the requests of both protocols, and ends connections when draining."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainyard_serving.metrics import Metrics
from trainyard_serving.readiness import Readiness

_CLIENT_WENT_AWAY = 499


class Observation:
    """ASGI middleware around the whole application.

    Args:
        app: the application.
        metrics: where it is counted.
        readiness: once it is drained, responses ask clients to connect anew: elsewhere.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, readiness: Readiness) -> None:
        self._app = app
        self._metrics = metrics
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        protocol = scope["path"][1:3] if scope["type"] == "http" else ""
        if protocol not in ("v1", "v2"):
            await self._app(scope, receive, send)
            return
        code = _CLIENT_WENT_AWAY

        async def observed(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                if not self._readiness.ready:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, observed)
        finally:
            self._metrics.requests.labels(protocol, str(code)).inc()
            self._metrics.seconds.labels(protocol).observe(time.perf_counter() - started)
