"""When the progress of a stage is written into status."""

from __future__ import annotations

import pytest

from trainyard_api.status import Progress
from trainyard_operator.brain.progress import writing_time
from trainyard_operator.brain.times import to_text

NOW = 1_800_000_000.0
WRITTEN = Progress(percent=4, epoch=1, epochs=5, step=400, metrics={"loss": 0.25}).model_copy(
    update={"updateTime": to_text(NOW)}
)


def worth_writing(written: Progress | None, said: Progress, now: float) -> bool:
    at = writing_time(written, said, now, 5.0)
    return at is not None and now >= at


def first_written(said: Progress) -> int | None:
    """Seconds after which what was said is written; None: not within an hour."""
    seconds = range(3600)
    return next((s for s in seconds if worth_writing(WRITTEN, said, NOW + s)), None)


def said(**fields: object) -> Progress:
    return WRITTEN.model_copy(update=fields)


@pytest.mark.parametrize("fields", [{"percent": 5}, {"epoch": 2}, {"message": "saving"}])
def test_what_moves_is_written_after_five_seconds(fields: dict[str, object]) -> None:
    assert first_written(said(step=500, **fields)) == 5


def test_metrics_alone_are_written_every_half_minute() -> None:
    assert first_written(said(step=500, metrics={"loss": 0.24})) == 30


def test_what_nobody_sees_is_not_written() -> None:
    assert first_written(said(step=401, metrics={"loss": 0.250001}, secondsLeft=3.0)) is None


def test_the_first_is_written_at_once_and_so_is_one_after_a_clock_that_was_ahead() -> None:
    assert worth_writing(None, said(), NOW)
    assert worth_writing(WRITTEN, said(percent=5), NOW - 60)
