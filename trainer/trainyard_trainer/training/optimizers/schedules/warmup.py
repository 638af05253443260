"""A rate that rises from almost nothing before its schedule begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a straight line to the schedule's first rate (Goyal et al., Accurate, Large
    Minibatch SGD, 2017); the schedule begins after it.

    Attributes:
        after: the schedule, or a constant rate.
    """

    def __init__(self, after: float | Callable[[Any], Any], steps: int) -> None:
        """Args:
        after: the schedule, or a constant rate.
        steps: of the rise, at least 1; the last of them has the whole rate.
        """
        self.after = after
        self._steps = steps

    def __call__(self, step: Any) -> Any:
        """The rate of a step, from 0."""
        ops = keras.ops
        place = ops.cast(step, "float32")
        begun = ops.maximum(place - self._steps, 0.0)
        rate = self.after(begun) if callable(self.after) else self.after
        return rate * ops.minimum((place + 1.0) / self._steps, 1.0)
