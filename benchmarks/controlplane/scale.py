"""Many jobs that run on and on: the operator's memory, its rest, and its next start."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from benchmarks.controlplane.api import Object
from benchmarks.controlplane.audit import READS, WRITES, Requests
from benchmarks.controlplane.bench import Bench, set_up
from benchmarks.controlplane.jobs import submit
from benchmarks.controlplane.others import create_others
from benchmarks.controlplane.processes import Memory, cpu_seconds
from benchmarks.controlplane.stand import Stand

WORKERS = 2
SILENCE_SECONDS = 150.0
"""Played chiefs tell nothing. After this time, the operator asks each every five minutes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Crowd:
    """What is there: jobs of two pods that run on, and pods of others; how long it rests; whether
    the jobs tell how far they are, so that it never does."""

    jobs: int
    others: int
    idle_seconds: float = 60.0
    progress: bool = False


async def measure(stand: Stand, crowd: Crowd) -> Object:
    """Returns the figures."""
    async with set_up(stand) as bench:
        log.info("%d pods of others", crowd.others)
        await create_others(bench.api, crowd.others)
        seconds = await _fill(bench, crowd.jobs)
        if not crowd.progress:
            log.info("%.0f s until chiefs that never answer are hardly asked", SILENCE_SECONDS)
            await asyncio.sleep(SILENCE_SECONDS)
        full = bench.subject.memory()
        log.info("%.0f MiB; idle for %.0f s", full.resident, crowd.idle_seconds)
        idle = await _idle(bench, crowd.idle_seconds)
        return {
            "jobs": crowd.jobs,
            "live_pods": crowd.jobs * WORKERS,
            "others": crowd.others,
            "progress": crowd.progress,
            "seconds_until_all_run": round(seconds, 1),
            "operator_mib": _memory(full),
            "idle": idle,
            "restart": await _restart(bench),
        }


async def _fill(bench: Bench, jobs: int) -> float:
    """Submits the jobs; returns the seconds until all their pods ran."""
    log.info("%d jobs", jobs)
    begun, board = time.monotonic(), bench.board
    await submit(bench.api, bench.namespace, jobs, workers=WORKERS)
    await board.wait("pods run", jobs * WORKERS, lambda: board.running)
    seconds = time.monotonic() - begun
    log.info("all after %.1f s; waiting for what the operator still does", seconds)
    await bench.settle()
    return seconds


async def _idle(bench: Bench, seconds: float) -> Object:
    bench.requests.new()
    cpu, memory = bench.cpu_meter(), bench.subject.memory()
    await asyncio.sleep(seconds)
    used = cpu.seconds()
    return {
        "seconds": seconds,
        "cpu_percent": {name: round(100 * spent / seconds, 2) for name, spent in used.items()},
        "operator_mib_gained": round(bench.subject.memory().resident - memory.resident, 1),
        **_asked(bench.requests.new()),
    }


async def _restart(bench: Bench) -> Object:
    log.info("killed, and started again")
    bench.subject.kill()
    bench.requests.new()
    ready = await bench.subject.start()
    requests = await bench.settle()
    memory = bench.subject.memory()
    return {
        "ready_seconds": round(ready, 2),
        "operator_cpu_seconds": round(cpu_seconds(bench.subject.pid), 2),
        "operator_mib": _memory(memory),
        **_asked(requests),
    }


def _asked(requests: Requests) -> Object:
    return {
        "reads": requests.of(READS),
        "writes": requests.of(WRITES),
        "watches": requests.of(["watch"]),
        "requests": requests.by_name(),
    }


def _memory(memory: Memory) -> Object:
    return {"resident": memory.resident, "peak": memory.peak}
