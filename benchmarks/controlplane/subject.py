"""The operator that is measured: the program as it ships, as a process of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from benchmarks.controlplane.figures import buckets
from benchmarks.controlplane.processes import Memory, memory

QUEUE_LATENCY = "trainyard_queue_latency_seconds"
READY_SECONDS = 300.0
STOP_SECONDS = 30.0

log = logging.getLogger(__name__)


class SubjectLost(Exception):
    """The operator ended, or never became ready."""


class Subject:
    """The operator. Use as `with`; it has ended afterwards.

    Args:
        kubeconfig: that it connects by.
        environment: of its container.
        log_file: for what it prints.
    """

    def __init__(self, kubeconfig: Path, environment: Mapping[str, str], log_file: Path) -> None:
        self._kubeconfig = kubeconfig
        self._environment = environment
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        if self._process is None or self._process.poll() is not None:
            raise SubjectLost(f"the operator has ended:\n{self._last_words()}")
        return self._process.pid

    async def start(self) -> float:
        """Starts it; returns the seconds until it says that it is ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        begun = time.monotonic()
        environment = {
            **os.environ,
            **self._environment,
            "KUBECONFIG": str(self._kubeconfig),
            "TRAINYARD_METRICS_PORT": str(self._port),
        }
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trainyard_operator"],
                env=environment,
                stdout=output,
                stderr=output,
                # Ctrl-C is the driver's, which ends it in its turn.
                start_new_session=True,
            )
        while not await self._acts():
            if time.monotonic() > begun + READY_SECONDS:
                raise SubjectLost(f"the operator does not get ready:\n{self._last_words()}")
            _alive = self.pid
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - begun
        log.info("the operator was ready after %.1f s", seconds)
        return seconds

    def kill(self) -> None:
        """Ends it as a lost node would."""
        self._end(signal.SIGKILL)

    def memory(self) -> Memory:
        """Returns what it holds now and held at most."""
        return memory(self.pid)

    async def queue_latency(self) -> dict[float, float]:
        """Returns its histogram of how long jobs wait to be looked at; empty where it has none."""
        return buckets(await self._answer("/metrics") or "", QUEUE_LATENCY)

    async def _acts(self) -> bool:
        """Whether it knows all jobs, and decides."""
        return "trainyard_acts 1.0" in (await self._answer("/metrics") or "")

    async def _answer(self, path: str) -> str | None:
        url = f"http://127.0.0.1:{self._port}{path}"
        try:
            async with aiohttp.request("GET", url) as response:
                return await response.text() if response.status == 200 else None
        except aiohttp.ClientError:
            return None

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the operator did not end within %.0f s", STOP_SECONDS)
            self._process.kill()
            self._process.wait()
        self._process = None

    def _last_words(self) -> str:
        lines = self._log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])
