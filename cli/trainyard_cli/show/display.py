"""A job while it runs: alive on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.show.stages import describe_change, render_stages

REFRESH_PER_SECOND = 8


class Display(AbstractContextManager["Display", None], Protocol):
    """Shows a job as it changes; a context manager, which is open while the job changes."""

    def update(self, status: TrainingJobStatus) -> None:
        """Show a new status."""

    def say(self, text: str, style: str = "") -> None:
        """Show a line that stays."""


def choose_display(title: str, console: Console) -> Display:
    """The display that fits where the output goes."""
    return LiveDisplay(title, console) if console.is_terminal else LineDisplay(console)


class LiveDisplay:
    """Stages and progress, drawn over themselves; what is said stays above them."""

    def __init__(
        self, title: str, console: Console, clock: Callable[[], float] = time.time
    ) -> None:
        self._title = title
        self._clock = clock
        self._status: TrainingJobStatus | None = None
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SECOND,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def update(self, status: TrainingJobStatus) -> None:
        self._status = status

    def say(self, text: str, style: str = "") -> None:
        self._live.console.print(Text(text, style))

    def _render(self) -> RenderableType:
        if self._status is None:
            return Text(f"{self._title}  starting", "dim")
        return render_stages(self._title, self._status, self._clock())


class LineDisplay:
    """A line with the time for each change that matters: for logs and pipes."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.time) -> None:
        self._console = console
        self._clock = clock
        self._status: TrainingJobStatus | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def update(self, status: TrainingJobStatus) -> None:
        for line in describe_change(self._status, status):
            self.say(line)
        self._status = status

    def say(self, text: str, style: str = "") -> None:
        now = time.strftime("%H:%M:%S", time.localtime(self._clock()))
        self._console.print(Text(f"{now}  {text}", style), soft_wrap=True)
