"""Shows what is going on: each step with its seconds.

On a terminal the line of the running step is alive; elsewhere (a log, a build server) each step
is one line when it starts to be slow and one when it is done, so that nothing looks stuck and
nothing is drawn over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.markup import escape

QUIET_SECONDS = 10.0


class Step:
    """A step that is running.

    Args:
        title: what it does.
        console: where it shows.
    """

    def __init__(self, title: str, console: RichConsole) -> None:
        self._title = title
        self._console = console
        self._detail = ""
        self._started = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def detail(self, text: str) -> None:
        """Says what the step is at."""
        self._detail = text

    def start(self) -> None:
        """Begins to show the step."""
        self._thread.start()

    def finish(self, mark: str) -> None:
        """Shows the step for the last time."""
        self._done.set()
        self._thread.join()
        line = f"{mark} {escape(self._title)}  [dim]{self._seconds():.1f} s[/dim]"
        self._console.print(line, soft_wrap=True)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _show(self) -> None:
        if self._console.is_terminal:
            with self._console.status(escape(self._title)) as status:
                while not self._done.wait(0.2):
                    status.update(f"{self._line()}  [dim]{self._seconds():.0f} s[/dim]")
            return
        while not self._done.wait(QUIET_SECONDS):
            self._console.print(f". {self._line()}  {self._seconds():.0f} s", soft_wrap=True)

    def _line(self) -> str:
        return escape(f"{self._title}: {self._detail}" if self._detail else self._title)


class Console:
    """Prints progress to standard error, which leaves standard output to results."""

    def __init__(self, rich: RichConsole | None = None) -> None:
        self._rich = rich or RichConsole(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Prints a line."""
        self._rich.print(escape(text), soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows a step while the body runs, and how it ended."""
        step = Step(title, self._rich)
        step.start()
        try:
            yield step
        except BaseException:
            step.finish("[red]x[/red]")
            raise
        step.finish("[green]+[/green]")
