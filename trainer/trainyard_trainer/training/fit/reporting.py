"""The training's progress, for people and for Prometheus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from trainyard_api.status import Progress
from trainyard_trainer.progress import Speed, Tracker

PERCENT_TRAINED: Final = 95
"""Percent of the stage when the last step is done; evaluation and writing are the rest."""


@dataclass(frozen=True)
class Length:
    """How long the training is at most."""

    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """All epochs' steps."""
        return self.epochs * self.steps_per_epoch


class Reporter:
    """Turns the loop's numbers into progress."""

    def __init__(self, tracker: Tracker, length: Length, batch: int) -> None:
        self._tracker = tracker
        self._length = length
        self._batch = batch
        self._metrics: dict[str, float] = {}
        self._closing_seconds = 0.0

    def trained(self, step: int, step_seconds: float | None, **metrics: float) -> None:
        """After a call: `step` steps are done; metrics are of the epoch so far."""
        length = self._length
        epoch = min(length.epochs, max(0, step - 1) // length.steps_per_epoch + 1)
        self._metrics |= metrics
        speed = None
        if step_seconds:
            speed = Speed(step_seconds, self._batch / step_seconds)
        self._tracker.report(
            Progress(
                percent=PERCENT_TRAINED * step // length.steps,
                epoch=epoch,
                epochs=length.epochs,
                step=step,
                steps=length.steps,
                metrics=dict(self._metrics),
                secondsLeft=self._seconds_left(step, epoch, step_seconds),
                message=f"epoch {epoch} of {length.epochs}",
            ),
            speed,
        )

    def validated(self, seconds: float, **metrics: float) -> None:
        """After an epoch's validation, which took `seconds`."""
        self._closing_seconds = seconds
        self._metrics |= metrics
        progress = self._tracker.snapshot()
        self._tracker.report(progress.model_copy(update={"metrics": dict(self._metrics)}))

    def _seconds_left(self, step: int, epoch: int, step_seconds: float | None) -> int | None:
        if step_seconds is None:
            return None
        validations = self._length.epochs - epoch + 1
        left = (self._length.steps - step) * step_seconds + validations * self._closing_seconds
        return math.ceil(left)
