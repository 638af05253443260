"""When progress is worth a write: a person has to see a difference, and not every second."""

from __future__ import annotations

from trainyard_api.status import Progress
from trainyard_operator.brain import times

_DIGITS = 4
"""Significant digits of a metric that people are shown."""
_METRICS_ALONE = 6.0
"""How many times as long what differs in metrics alone may wait. They differ at every step, and a
thousand jobs that each write them every few seconds would keep an API server busy."""


def writing_time(
    written: Progress | None, said: Progress, now: float, interval: float
) -> float | None:
    """When progress that was said is to replace what status has; None: never.

    Args:
        written: the progress in status.
        said: what the stage says now.
        now: seconds since the epoch.
        interval: least seconds between two writes.
    """
    if written is None:
        return now
    if look_alike(written, said):
        return None
    if written.updateTime is None:
        return now
    before = times.to_seconds(written.updateTime)
    if now < before:
        # Another operator's clock was ahead of ours.
        return now
    moved = _place(written) != _place(said)
    return before + (interval if moved else interval * _METRICS_ALONE)


def look_alike(one: Progress, other: Progress) -> bool:
    """Whether a person sees no difference."""
    return _seen(one) == _seen(other)


def _seen(progress: Progress) -> tuple[object, ...]:
    metrics = {name: f"{value:.{_DIGITS}g}" for name, value in progress.metrics.items()}
    return *_place(progress), metrics


def _place(progress: Progress) -> tuple[object, ...]:
    """How far it is."""
    return progress.percent, progress.epoch, progress.epochs, progress.message
