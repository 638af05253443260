"""The program that runs a job, as a child process."""

from __future__ import annotations

import ctypes
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

MODULE = "trainyard_operator.hands.processes"
_LAST_WORDS = 2000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Request:
    """What is to be run, and where."""

    job_file: Path
    output: Path
    mounts: tuple[str, ...] = ()
    """CLAIM=DIR, as the user gave them."""
    code: Path | None = None
    """The archive with the job's own code."""

    def command(self) -> list[str]:
        """The command that does it."""
        command = [sys.executable, "-m", MODULE, str(self.job_file), "--output", str(self.output)]
        for mount in self.mounts:
            command += ["--mount", mount]
        if self.code is not None:
            command += ["--code", str(self.code)]
        return command


class Program:
    """The running program: its lines, and the way it is ended.

    A context manager. While it is open, the first Ctrl-C asks the program to end in order, so
    that training saves; the second one kills it.
    """

    def __init__(self, command: list[str]) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the program
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Sets one flag, and is done: safe beside threads too.
            preexec_fn=(_end_with_parent if sys.platform == "linux" else None),  # noqa: PLW1509
        )
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self.interrupts = 0
        """How often the user has asked for the end."""

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._interrupted)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.stop()
        self._process.wait()
        self._errors.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def next_line(self, seconds: float) -> str | None:
        """The next line of its output; None when it has ended.

        Raises:
            queue.Empty: it has said nothing for that long.
        """
        return self._lines.get(timeout=seconds)

    def stop(self) -> None:
        """Ask it to end in order."""
        self._process.send_signal(signal.SIGINT)

    def exit_code(self) -> int:
        """Its exit code, when it has ended."""
        return self._process.wait()

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        size = self._errors.seek(0, 2)
        self._errors.seek(max(0, size - _LAST_WORDS))
        return self._errors.read().decode(errors="replace").strip()

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._lines.put(line.decode(errors="replace"))
        self._lines.put(None)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupts += 1
        if self.interrupts == 1:
            self.stop()
        else:
            self._process.kill()


def _end_with_parent() -> None:
    """Let the program end in order when the command line is killed: nobody else would end what
    it serves, and its folder would stay in use.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
