"""One job of very many workers: how soon they are there, and what it costs."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from benchmarks.controlplane.api import Object
from benchmarks.controlplane.audit import READS, WRITES
from benchmarks.controlplane.bench import Bench, set_up
from benchmarks.controlplane.jobs import submit
from benchmarks.controlplane.stand import Stand

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gang:
    """The job's workers."""

    workers: int


async def measure(stand: Stand, gang: Gang) -> Object:
    """Returns the figures."""
    async with set_up(stand) as bench:
        return await _measure(bench, gang.workers)


async def _measure(bench: Bench, workers: int) -> Object:
    cpu, board = bench.cpu_meter(), bench.board
    log.info("a job of %d workers", workers)
    await submit(bench.api, bench.namespace, 1, workers=workers)
    await board.wait("pods are there", workers, lambda: board.pods)
    await board.wait("pods run", workers, lambda: board.running)
    requests, used = await bench.settle(), cpu.seconds()
    (job,) = board.jobs.values()
    running = [pod.running for pod in job.pods.values() if pod.running is not None]
    memory = bench.subject.memory()
    return {
        "workers": workers,
        "seconds_to_pods": round(max(pod.created for pod in job.pods.values()) - job.created, 2),
        "seconds_to_running": round(max(running) - job.created, 2),
        "cpu_seconds": {name: round(seconds, 2) for name, seconds in used.items()},
        "operator_mib": {"resident": memory.resident, "peak": memory.peak},
        "reads": requests.of(READS),
        "writes": requests.of(WRITES),
        "requests": requests.by_name(),
    }
