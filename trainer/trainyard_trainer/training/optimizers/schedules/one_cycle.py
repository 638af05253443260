"""Up to a large rate and down to almost none, once over the training."""

from __future__ import annotations

import math
from typing import Any

import keras


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates, 2018; with halves of a cosine instead of straight lines.

    Momentum stays as it is.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int = 1,
        rising: float = 0.3,
        first_divisor: float = 25.0,
        last_divisor: float = 10_000.0,
    ) -> None:
        """Args:
        initial_learning_rate: the peak.
        decay_steps: of the whole cycle; after it the rate stays.
        rising: share of the steps in which the rate rises.
        first_divisor: the peak over the first rate.
        last_divisor: the first rate over the last.

        Raises:
            ValueError: a number has no sense.
        """
        if not 0.0 < rising < 1.0:
            raise ValueError(f"rising is {rising:g}; it must lie between 0 and 1")
        if decay_steps < 1:
            raise ValueError(f"decay_steps is {decay_steps:g}; it must be at least 1")
        if min(first_divisor, last_divisor) < 1.0:
            raise ValueError("first_divisor and last_divisor must be at least 1")
        self._peak = initial_learning_rate
        self._first = initial_learning_rate / first_divisor
        self._last = self._first / last_divisor
        self._rise = rising * decay_steps
        self._fall = decay_steps - self._rise

    def __call__(self, step: Any) -> Any:
        """The rate of a step, from 0."""
        ops = keras.ops
        place = ops.cast(step, "float32")
        up = ops.clip(place / self._rise, 0.0, 1.0)
        down = ops.clip((place - self._rise) / self._fall, 0.0, 1.0)
        rising = _between(self._first, self._peak, up)
        return ops.where(place < self._rise, rising, _between(self._peak, self._last, down))


def _between(begin: float, end: float, share: Any) -> Any:
    """From `begin` at share 0 to `end` at share 1, along half a cosine."""
    return end + (begin - end) * 0.5 * (1.0 + keras.ops.cos(math.pi * share))
