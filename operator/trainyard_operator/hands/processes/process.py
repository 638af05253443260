"""One pod as a local process."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.processes.last_words import last_words, termination_message

GRACE_SECONDS = 30.0
"""What Kubernetes gives a pod that does not say."""

_PR_SET_PDEATHSIG = 1


@dataclass
class PodProcess:
    """A pod's process and what is left of it."""

    manifest: Manifest
    folder: Path
    """Holds its log and its termination message."""
    process: asyncio.subprocess.Process | None = None
    exit_code: int | None = None
    finish_time: float | None = None
    deleting: bool = False
    ready: bool = False
    error: str = ""
    """Why it could not be started."""
    stopped: bool = False
    """Whether it was told to end, be it while it was being started."""

    @property
    def name(self) -> str:
        """Name of the pod."""
        return str(self.manifest["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the pod."""
        labels: dict[str, str] = self.manifest["metadata"]["labels"]
        return labels

    @property
    def termination_log(self) -> Path:
        """The file that takes its termination message."""
        return self.folder / "termination-log"

    @property
    def log(self) -> Path:
        """The file that takes its output."""
        return self.folder / "log"

    def message(self) -> str:
        """Its termination message, or its last words where it failed without one."""
        if text := termination_message(self.termination_log):
            return text
        return "" if self.exit_code == 0 else last_words(self.log)

    async def start(self, command: list[str], variables: dict[str, str]) -> None:
        """Start the process; a program that cannot be started has failed with 127."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.termination_log.unlink(missing_ok=True)
        try:
            with self.log.open("wb") as output:
                self.process = await asyncio.create_subprocess_exec(
                    *command,
                    env={**os.environ, **variables},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                )
            if self.stopped:
                self._signal(signal.SIGTERM)
        except OSError as error:
            self.error = f"cannot start {command[0]}: {error}"
            self.termination_log.write_text(self.error)
            self.exit_code, self.finish_time = 127, time.time()

    async def wait(self, then: tuple[list[str], dict[str, str]] | None = None) -> None:
        """Wait for its end.

        Args:
            then: command and environment of what is started in its place where it ends well.
        """
        if self.process is None:
            return
        code = await self.process.wait()
        if code == 0 and then is not None and not self.stopped:
            await self.start(*then)
            if self.exit_code is not None:
                return
            code = await self.process.wait()
        # A shell and the kubelet report death by signal N as 128 + N.
        self.exit_code = 128 - code if code < 0 else code
        self.finish_time = time.time()
        self.ready = False

    @property
    def grace_seconds(self) -> float:
        """The time that it gets to save when it is told to end."""
        spec = self.manifest.get("spec", {})
        return float(spec.get("terminationGracePeriodSeconds", GRACE_SECONDS))

    async def stop(self) -> None:
        """Ask it to end, and kill it after its grace."""
        self.stopped = True
        if self.process is None or self.exit_code is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(self.process.wait()), self.grace_seconds)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def _end_with_parent() -> None:
    """Let the process be stopped when its keeper dies, whatever it dies of."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
