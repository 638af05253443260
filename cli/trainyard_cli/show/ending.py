"""What is shown when a job has come to its end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.show.data import render_data
from trainyard_cli.show.tables import render_compression, render_evaluation


def render_results(status: TrainingJobStatus) -> RenderableType:
    """What the data was, and the tables of what has been measured so far; nothing where there is
    nothing yet.
    """
    parts: list[RenderableType] = []
    if status.data is not None:
        parts.append(render_data(status.data))
    if status.evaluation is not None:
        parts.append(render_evaluation(status.evaluation))
    if status.compression is not None:
        parts.append(render_compression(status.compression))
    return Group(*parts)


def render_failure(status: TrainingJobStatus, logs: str) -> RenderableType:
    """Why a job has failed, and where to look further.

    Args:
        logs: where the logs of its pods are.
    """
    condition = status.condition("Failed")
    reason = condition.reason if condition is not None else "Failed"
    message = condition.message if condition is not None else "no reason was given"
    return Group(
        Text.assemble(("Failed: ", "bold red"), (reason, "bold")),
        Padding(Text(message.strip()), (0, 0, 0, 2)),
        Text(f"logs: {logs}", "dim"),
    )


def show_endpoint(console: Console, url: str, commands: Sequence[str]) -> None:
    """Where the model answers, and commands that ask it.

    Args:
        console: where it is shown.
        url: the address of a prediction.
        commands: complete shell commands.
    """
    # They are meant to be copied, so nothing is folded at the terminal's edge.
    console.print(Text.assemble(("Endpoint: ", "bold"), f"POST {url}"), soft_wrap=True)
    for command in commands:
        console.print(Text(f"  {command}"), soft_wrap=True)


def prediction_url(url: str, model: str) -> str:
    """The address of a prediction by the model of that name."""
    return f"{url.rstrip('/')}/v1/models/{model}:predict"
