"""What Prometheus learns of the operator."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from trainyard_api.names import PATH_METRICS

RECONCILES = Counter("trainyard_reconciles_total", "Decisions made, by outcome.", ["outcome"])
RECONCILE_SECONDS = Histogram(
    "trainyard_reconcile_seconds", "Time from the look at a job to its plan being carried out."
)


class JobCollector(Collector):
    """Jobs by phase and the length of the queue, counted when they are asked for."""

    def __init__(self, phases: Callable[[], list[str]], queued: Callable[[], int]) -> None:
        self._phases = phases
        self._queued = queued

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges."""
        jobs = GaugeMetricFamily("trainyard_jobs", "Jobs, by phase.", labels=["phase"])
        for phase, count in Count(self._phases()).items():
            jobs.add_metric([phase], count)
        yield jobs
        yield GaugeMetricFamily("trainyard_queue_length", "Jobs waiting.", value=self._queued())


async def serve_metrics(port: int, ready: Callable[[], bool]) -> web.AppRunner:
    """Serve /metrics, /healthz and /readyz."""

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(REGISTRY)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if ready() else web.Response(status=503, text="starting\n")

    app = web.Application()
    app.router.add_get(PATH_METRICS, metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()
    return runner
