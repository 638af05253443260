"""What every measurement begins with: the operator on its stand, with meters at it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.controlplane.api import Api
from benchmarks.controlplane.audit import AuditLog, Requests
from benchmarks.controlplane.board import Board
from benchmarks.controlplane.installation import install
from benchmarks.controlplane.jobs import prepare_namespace
from benchmarks.controlplane.processes import CpuMeter
from benchmarks.controlplane.stand import Stand
from benchmarks.controlplane.subject import Subject

NAMESPACE = "benchmark"
QUIET_REQUESTS = 5
QUIET_SECONDS = 2.0
SETTLE_LIMIT = 15
"""Times that a quiet moment is waited for before the operator counts as one that never rests."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bench:
    """The operator, ready and at rest, and what it is measured by.

    Attributes:
        api: to make objects by.
        namespace: of the jobs.
        board: sees what becomes of them.
        subject: the operator.
        requests: of the operator.
        ready_seconds: of its first start.
        others: the other programs, by name.
    """

    api: Api
    namespace: str
    board: Board
    subject: Subject
    requests: AuditLog
    ready_seconds: float
    others: dict[str, int]

    def cpu_meter(self) -> CpuMeter:
        """Returns a meter of every program, begun now."""
        return CpuMeter({"operator": self.subject.pid, **self.others, "driver": os.getpid()})

    async def settle(self) -> Requests:
        """Waits until the operator hardly asks any more; returns what it asked until then."""
        found = self.requests.new()
        for _ in range(SETTLE_LIMIT):
            await asyncio.sleep(QUIET_SECONDS)
            _alive = self.subject.pid
            new = self.requests.new()
            found.update(new)
            if new.total() <= QUIET_REQUESTS:
                return found
        log.warning("the operator does not come to rest")
        return found


@contextlib.asynccontextmanager
async def set_up(stand: Stand) -> AsyncIterator[Bench]:
    """Installs Trainyard, starts the operator and watches; ends both afterwards."""
    with tempfile.TemporaryDirectory(prefix="controlplane-") as folder:
        async with Api(stand.access) as api:
            identity = await install(api)
            await prepare_namespace(api, NAMESPACE)
            kubeconfig, log_file = Path(folder) / "kubeconfig", Path(folder) / "operator.log"
            identity.write_kubeconfig(kubeconfig, stand.access)
            board, requests = Board(api, NAMESPACE), AuditLog(stand.audit_log)
            with Subject(kubeconfig, identity.environment, log_file) as subject:
                seconds = await subject.start()
                async with _watched(board):
                    bench = Bench(
                        api, NAMESPACE, board, subject, requests, seconds, dict(stand.pids)
                    )
                    await bench.settle()
                    yield bench


@contextlib.asynccontextmanager
async def _watched(board: Board) -> AsyncIterator[None]:
    watching = asyncio.create_task(board.watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
