"""What is being fetched, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

Advance = Callable[[int, int | None], None]
"""Told the bytes that are there, and how many there will be where that is known."""


class Transfer:
    """Lines on what happens; on a terminal also a bar while something is on its way."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    def say(self, text: str, style: str = "") -> None:
        """Show a line."""
        self._console.print(Text(text, style), soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:
        """Show what is on its way while the body runs."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(
            *columns,
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
