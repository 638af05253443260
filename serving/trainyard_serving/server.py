"""Runs the application, and ends it without losing a request.

When a pod is to end, the cluster's load balancers learn of it a moment later than the pod
does. So on SIGTERM a process says that it is not ready, goes on accepting for a while, and only
then closes its port and waits for what is in flight. A second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from trainyard_api.listening import host_port
from trainyard_serving.connections import PatientProtocol
from trainyard_serving.readiness import Readiness

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers and clients keep idle connections, so that they close first."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How much time an ending process takes.

    Attributes:
        drain_seconds: not ready but still accepting.
        grace_seconds: for requests in flight, after that.
    """

    drain_seconds: float
    grace_seconds: float


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which raise the signal again at the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, readiness: Readiness, sock: socket.socket, ending: Ending) -> None:
    """Answers on `sock` until SIGTERM or SIGINT; returns when all requests are answered."""
    server = _Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, round(ending.grace_seconds)),
        )
    )
    loop = asyncio.get_running_loop()

    def begin_to_end() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        end_at_once_on_signals()
        readiness.drain()
        logger.info("ending: accepting for %g s more", ending.drain_seconds)
        loop.call_later(ending.drain_seconds, setattr, server, "should_exit", True)

    for number in _SIGNALS:
        loop.add_signal_handler(number, begin_to_end)
    # Said only now: who has read it may end the process and rely on a graceful end.
    logger.info("listening on %s", host_port(*sock.getsockname()[:2]))
    await server.serve(sockets=[sock])


def end_at_once_on_signals() -> None:
    """Lets SIGTERM and SIGINT end the process with exit code 128 + their number.

    Without a handler the kernel would keep them from a container's first process.
    """
    for number in _SIGNALS:
        signal.signal(number, lambda received, _: os._exit(128 + received))
