"""The stages of a run and how far the running one is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from trainyard_api.status import Progress, Stage, TrainingJobStatus
from trainyard_cli.show.units import duration, timestamp

_MARKS = {"Succeeded": ("✓", "green"), "Failed": ("✗", "red"), "Pending": ("·", "dim")}
_UNDER_WAY = ("Starting", "Running")
_DOING = {
    "Train": "training",
    "Compress": "making and measuring candidates",
    "Serve": "rolling out",
}
_SHOWN_FIRST = ("loss", "accuracy", "val_loss", "val_accuracy")
_SPINNER = Spinner("dots", style="cyan")
"""One for all: a new one at every look would always show its first picture."""


def render_stages(title: str, status: TrainingJobStatus, now: float) -> RenderableType:
    """A line for each stage; below the running one its progress.

    Args:
        title: how the job is called.
        now: seconds since the epoch, for the stages that still run.
    """
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=1)
    grid.add_column(min_width=8)
    grid.add_column(min_width=11, justify="right", no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for stage in status.stages:
        under_way = stage.state in _UNDER_WAY
        style = "bold" if under_way else "dim" if stage.state == "Pending" else ""
        grid.add_row(
            _mark(stage),
            Text(stage.name, style=style),
            Text(_elapsed(stage, now), style="dim"),
            Text(_what(stage, status.progress if under_way else None), style=style),
        )
        if under_way and status.progress is not None and status.progress.percent:
            grid.add_row("", "", f"{status.progress.percent} %", _bar(status.progress))
    return Group(_heading(title, status, now), grid)


def describe_progress(progress: Progress) -> str:
    """What is being done, the measured numbers, and the time left, in one line."""
    parts = [progress.message] if progress.message else []
    if not parts and progress.epochs:
        parts.append(f"epoch {progress.epoch} of {progress.epochs}")
    parts += [f"{name} {value:.4f}" for name, value in _ordered(progress.metrics)]
    if progress.secondsLeft is not None:
        parts.append(f"{duration(progress.secondsLeft)} left")
    return ", ".join(parts)


def describe_change(before: TrainingJobStatus | None, after: TrainingJobStatus) -> Iterator[str]:
    """A line for each thing that people want to know of a change; none for the small steps."""
    for stage in after.stages:
        old = before.stage(stage.name) if before is not None else None
        if stage.state in _UNDER_WAY and after.progress is not None:
            fresh = after.progress
            seen = before.progress if before is not None and _same_state(old, stage) else None
            if seen is None or _mark_passed(seen, fresh):
                yield f"{stage.name}: {describe_progress(fresh)} ({fresh.percent} %)"
        elif stage.state != "Pending" and not _same_state(old, stage):
            yield f"{stage.name}: {_what(stage, None)}"


def _same_state(old: Stage | None, new: Stage) -> bool:
    return old is not None and (old.state, old.message, old.attempts) == (
        new.state,
        new.message,
        new.attempts,
    )


def _mark_passed(before: Progress, after: Progress) -> bool:
    """Whether there is more to say than another percent."""
    return (
        before.message != after.message
        or before.epoch != after.epoch
        or before.percent // 25 != after.percent // 25
    )


def _heading(title: str, status: TrainingJobStatus, now: float) -> Text:
    heading = Text.assemble((title, "bold"), f"  {status.phase}")
    if status.run is not None:
        heading.append(f"  run {status.run.id}", "dim")
    if status.startTime is not None:
        end = timestamp(status.completionTime) if status.completionTime else now
        heading.append(f"  {duration(end - timestamp(status.startTime))}", "dim")
    if restarts := status.restarts.program + status.restarts.infrastructure:
        heading.append(f"  {restarts} restart{'s' if restarts > 1 else ''}", "yellow")
    return heading


def _mark(stage: Stage) -> RenderableType:
    if stage.state in _UNDER_WAY:
        return _SPINNER
    mark, style = _MARKS[stage.state]
    return Text(mark, style)


def _elapsed(stage: Stage, now: float) -> str:
    if stage.startTime is None:
        return ""
    end = timestamp(stage.completionTime) if stage.completionTime else now
    return duration(end - timestamp(stage.startTime))


def _what(stage: Stage, progress: Progress | None) -> str:
    """What a stage is at, or what it has come to."""
    if progress is not None:
        return describe_progress(progress)
    if stage.state == "Pending" and stage.retryTime is not None:
        return f"to be tried again: {stage.message}"
    if stage.message:
        return stage.message
    if stage.state == "Starting":
        return "starting"
    return _DOING.get(stage.name, "under way") if stage.state == "Running" else stage.state.lower()


def _ordered(metrics: dict[str, float]) -> Iterator[tuple[str, float]]:
    names = [name for name in _SHOWN_FIRST if name in metrics]
    for name in names + sorted(set(metrics) - set(names)):
        yield name, metrics[name]


def _bar(progress: Progress) -> ProgressBar:
    return ProgressBar(total=100, completed=progress.percent, width=40)
