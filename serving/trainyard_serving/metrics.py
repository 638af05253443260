"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one serving process, in a registry of its own."""

    def __init__(self, name: str, revision: str, sha256: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "trainyard_serving_requests",
            "Requests, by protocol and status code (499: the client went away).",
            ("protocol", "code"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "trainyard_serving_request_seconds",
            "Time from a request's headers to the end of its response.",
            ("protocol",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "trainyard_serving_in_flight",
            "Predictions being read, computed or waiting.",
            registry=self._registry,
        )
        self.rows = Histogram(
            "trainyard_serving_batch_rows",
            "Rows of a prediction.",
            buckets=_ROWS,
            registry=self._registry,
        )
        Gauge(
            "trainyard_serving_model_info",
            "The model that is served; always 1.",
            ("name", "revision", "sha256"),
            registry=self._registry,
        ).labels(name, revision, sha256).set(1)

    def render(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
