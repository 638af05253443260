"""Shows what is going on, on standard error: each step with its seconds.

On a terminal the line of the running step is alive. Elsewhere (a log, a build server) a step that
takes long says what it is at, a line at a time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import TextIO

_LINE_SECONDS = 5.0
_ALIVE_SECONDS = 0.2


class Step:
    """A step that is running.

    Args:
        title: what it does.
        stream: where it shows.
    """

    def __init__(self, title: str, stream: TextIO) -> None:
        self._title = title
        self._stream = stream
        self._alive = stream.isatty()
        self._detail = ""
        self._started = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def start(self) -> None:
        """Begins to show the step."""
        self._thread.start()

    def detail(self, text: str) -> None:
        """Says what the step is at."""
        self._detail = text

    def finish(self, mark: str) -> None:
        """Shows the step for the last time."""
        self._done.set()
        self._thread.join()
        self._print(f"{mark} {self._title}  {self._seconds():.1f} s")

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _show(self) -> None:
        while not self._done.wait(_ALIVE_SECONDS if self._alive else _LINE_SECONDS):
            at = f": {self._detail}" if self._detail else ""
            line = f". {self._title}{at}  {self._seconds():.0f} s"
            if self._alive:
                self._stream.write(f"\r\x1b[K{line[: get_terminal_size().columns - 1]}")
                self._stream.flush()
            else:
                self._print(line)

    def _print(self, line: str) -> None:
        start = "\r\x1b[K" if self._alive else ""
        print(f"{start}{line}", file=self._stream, flush=True)


class Console:
    """Prints progress; standard output is left to results."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def say(self, text: str) -> None:
        """Prints a line."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows a step while the body runs, and how it ended."""
        step = Step(title, self._stream)
        step.start()
        try:
            yield step
        except BaseException:
            step.finish("x")
            raise
        step.finish("+")
