"""When progress is worth a write: a person has to see a difference, and not every second."""

from __future__ import annotations

from trainyard_api.status import Progress
from trainyard_operator.brain import times

_DIGITS = 4
"""Significant digits of a metric that people are shown."""


def worth_writing(written: Progress | None, said: Progress, now: float, interval: float) -> bool:
    """Whether progress that was said should replace what status has.

    Args:
        written: the progress in status.
        said: what the stage says now.
        now: seconds since the epoch.
        interval: least seconds between two writes.
    """
    if written is None:
        return True
    if _seen(written) == _seen(said):
        return False
    return written.updateTime is None or now >= (times.to_seconds(written.updateTime) + interval)


def _seen(progress: Progress) -> tuple[object, ...]:
    metrics = {name: f"{value:.{_DIGITS}g}" for name, value in progress.metrics.items()}
    return progress.percent, progress.epoch, progress.epochs, progress.message, metrics
