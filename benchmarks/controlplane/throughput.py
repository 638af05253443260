"""Many jobs at once, or so many a second: how fast they pass, and what each costs."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from benchmarks.controlplane.api import Object
from benchmarks.controlplane.audit import READS, WRITES
from benchmarks.controlplane.bench import Bench, set_up
from benchmarks.controlplane.board import Board
from benchmarks.controlplane.figures import gained, milliseconds, percentiles_ms, quantile
from benchmarks.controlplane.jobs import submit
from benchmarks.controlplane.stand import Stand

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Load:
    """What is submitted: so many jobs, so many a second (None: as fast as it goes)."""

    jobs: int
    rate: float | None = None


async def measure(stand: Stand, load: Load) -> Object:
    """Returns the figures."""
    async with set_up(stand) as bench:
        return await _measure(bench, load)


async def _measure(bench: Bench, load: Load) -> Object:
    queued, cpu = await bench.subject.queue_latency(), bench.cpu_meter()
    log.info("%d jobs", load.jobs)
    begun = time.monotonic()
    await submit(bench.api, bench.namespace, load.jobs, rate=load.rate)
    submitted = time.monotonic() - begun
    await bench.board.wait("jobs have succeeded", load.jobs, lambda: bench.board.succeeded)
    seconds = time.monotonic() - begun
    log.info("all after %.1f s; waiting for what the operator still does", seconds)
    requests, used = await bench.settle(), cpu.seconds()
    latency = quantile(gained(queued, await bench.subject.queue_latency()), 0.95)
    memory = bench.subject.memory()
    return {
        "jobs": load.jobs,
        "rate": load.rate,
        "seconds": round(seconds, 2),
        "submit_seconds": round(submitted, 2),
        "jobs_per_second": round(load.jobs / seconds, 2),
        **latencies(bench.board),
        "queue_latency_p95_ms": milliseconds(latency),
        "cpu_ms_per_job": {
            name: round(number * 1000 / load.jobs, 2) for name, number in used.items()
        },
        "operator_mib": {"resident": memory.resident, "peak": memory.peak},
        "operator_ready_seconds": round(bench.ready_seconds, 2),
        "reads_per_job": round(requests.of(READS) / load.jobs, 3),
        "watches_per_job": round(requests.of(["watch"]) / load.jobs, 3),
        "writes_per_job": round(requests.of(WRITES) / load.jobs, 3),
        "requests_per_job": requests.per(load.jobs),
    }


def latencies(board: Board) -> Object:
    """Returns the latencies of the jobs, less the time in which their pods ran."""
    parts = [part for job in board.jobs.values() if (part := job.parts()) is not None]
    return {
        "latency_ms": percentiles_ms([part.all for part in parts]),
        "latency_parts_ms": {
            "created_to_pods": percentiles_ms([part.pods for part in parts]),
            "pods_to_running": percentiles_ms([part.running for part in parts]),
            "ended_to_succeeded": percentiles_ms([part.end for part in parts]),
        },
    }
