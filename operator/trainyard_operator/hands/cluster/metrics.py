"""What Prometheus learns of the operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

RECONCILES = Counter("trainyard_reconciles_total", "Decisions made, by outcome.", ["outcome"])
RECONCILE_SECONDS = Histogram(
    "trainyard_reconcile_seconds", "Time from the look at a job to its plan being carried out."
)
QUEUE_LATENCY = Histogram(
    "trainyard_queue_latency_seconds",
    "Time from the news of a job, or from when it was due, to the plan being carried out.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


class StateCollector(Collector):
    """Jobs by phase, the length of the queue and who leads, counted when they are asked for."""

    def __init__(
        self,
        phases: Callable[[], Mapping[str, int]],
        queued: Callable[[], int],
        acts: Callable[[], bool],
    ) -> None:
        """Args:
        phases: jobs by phase.
        queued: jobs that wait to be looked at.
        acts: whether this operator leads, and knows all jobs.
        """
        self._phases = phases
        self._queued = queued
        self._acts = acts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges."""
        jobs = GaugeMetricFamily("trainyard_jobs", "Jobs, by phase.", labels=["phase"])
        for phase, count in self._phases().items():
            jobs.add_metric([phase], count)
        yield jobs
        yield GaugeMetricFamily("trainyard_queue_length", "Jobs waiting.", value=self._queued())
        acts = float(self._acts())
        yield GaugeMetricFamily("trainyard_acts", "Whether this operator decides.", value=acts)
