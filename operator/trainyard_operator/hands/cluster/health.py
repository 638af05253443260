"""Whether the operator is alive: for the kubelet, which starts it anew where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import REGISTRY

from trainyard_api.listening import ALL_ADDRESSES, listen
from trainyard_api.names import PATH_METRICS

SILENT_SECONDS = 360.0
"""A watch hears of the API server every minute; after six it is dead, whatever it looks like."""
STUCK_SECONDS = 600.0
"""Longest time that one look at a job can take, with every request of it at its limit."""

Check = Callable[[], str]
"""What is wrong; empty where nothing is."""


def silence(ages: Callable[[], Mapping[str, float]]) -> Check:
    """A check of watches by the seconds since each was last heard of."""

    def check() -> str:
        silent = [name for name, age in ages().items() if age > SILENT_SECONDS]
        return f"no news for {SILENT_SECONDS:.0f} s of {', '.join(silent)}" if silent else ""

    return check


def stuck(longest: Callable[[], float]) -> Check:
    """A check of the work by the seconds of the longest look at a job."""

    def check() -> str:
        seconds = longest()
        return f"a job has been worked on for {seconds:.0f} s" if seconds > STUCK_SECONDS else ""

    return check


async def serve_health(
    port: int, ready: Callable[[], bool], checks: Iterable[Check]
) -> web.AppRunner:
    """Serve /metrics, /healthz and /readyz.

    Args:
        port: to listen at.
        ready: whether the operator could act, now or as soon as another stops.
        checks: for /healthz.
    """
    checks = tuple(checks)

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(REGISTRY)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        problems = [problem for check in checks if (problem := check())]
        if problems:
            return web.Response(status=503, text="\n".join(problems) + "\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if ready() else web.Response(status=503, text="starting\n")

    app = web.Application()
    app.router.add_get(PATH_METRICS, metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listen(ALL_ADDRESSES, port)).start()
    return runner
