"""What of a run is shown, and how: for people, or as JSON lines for programs."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.text import Text

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.local_run.messages import Foreign, Happened, Message, StatusChanged
from trainyard_cli.show.display import choose_display
from trainyard_cli.show.ending import render_failure, render_results, show_endpoint


class View(AbstractContextManager["View", None], Protocol):
    """Shows a run; a context manager."""

    def show(self, line: str, message: Message) -> None:
        """A message of the program, and the line that it came in."""

    def say(self, text: str) -> None:
        """Something that the command line itself has to say."""

    def results(self, status: TrainingJobStatus) -> None:
        """The tables; the job's stages are over."""

    def answered(self, url: str, request: Path) -> None:
        """The endpoint has answered a prediction of the row in `request`."""

    def failed(self, status: TrainingJobStatus, logs: str) -> None:
        """The job has failed."""


class PeopleView:
    """Live stages, then the tables, then what happens to the endpoint."""

    def __init__(self, title: str, console: Console) -> None:
        self._console = console
        self._stack = ExitStack()
        self._display = choose_display(title, console)
        self._running = True
        self._ready = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self._display)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def show(self, line: str, message: Message) -> None:  # noqa: ARG002  of the protocol
        match message:
            case StatusChanged(status):
                self._update(status)
            case Happened(event):
                self._print(event.text, event.style)
            case Foreign(text):
                self._print(text, "dim")

    def say(self, text: str) -> None:
        self._print(text, "bold")

    def results(self, status: TrainingJobStatus) -> None:
        self._stack.close()
        self._running = False
        self._console.print(render_results(status))

    def answered(self, url: str, request: Path) -> None:
        command = f"curl -d @{shlex.quote(str(request))} {url}"
        show_endpoint(self._console, url, [command])

    def failed(self, status: TrainingJobStatus, logs: str) -> None:
        self.results(status)
        self._console.print(render_failure(status, logs))

    def _update(self, status: TrainingJobStatus) -> None:
        ready = status.serving.readyReplicas if status.serving is not None else 0
        if self._running:
            self._display.update(status)
        elif ready != self._ready:
            self._print(f"{ready} serving replica{'' if ready == 1 else 's'} ready", "")
        self._ready = ready

    def _print(self, text: str, style: str) -> None:
        if self._running:
            self._display.say(text, style)
        else:
            self._console.print(Text(text, style), soft_wrap=True)


class JsonView:
    """The program's own lines, and one more when the endpoint has answered."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, line: str, message: Message) -> None:
        if isinstance(message, Foreign):
            print(message.text, file=sys.stderr, flush=True)
        else:
            print(line.rstrip("\n"), flush=True)

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def results(self, status: TrainingJobStatus) -> None: ...

    def answered(self, url: str, request: Path) -> None:
        document = {"type": "endpoint", "url": url, "request": str(request)}
        print(json.dumps(document), flush=True)

    def failed(self, status: TrainingJobStatus, logs: str) -> None: ...
