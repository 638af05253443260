"""A learning rate that begins small.

Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Grows from nothing to the first rate in equal steps; then comes another schedule, from its
    beginning.
    """

    def __init__(self, first: float, then: Any, steps: int) -> None:
        """Args:
        first: the rate that it grows to.
        then: the rate, or the schedule, that follows.
        steps: that it takes, at least 1; the last of them has the first rate.
        """
        self._first = first
        self._then = then
        self._steps = steps

    def __call__(self, step: Any) -> Any:
        """The rate of a step, counted from 0."""
        done = tf.cast(step, tf.float32) + 1.0
        growing = self._first * done / self._steps
        after = tf.maximum(tf.cast(step, tf.float32) - self._steps, 0.0)
        then = self._then(after) if callable(self._then) else self._then
        return tf.where(done <= self._steps, growing, tf.cast(then, tf.float32))

    def get_config(self) -> dict[str, Any]:
        """What it was made of."""
        return {"first": self._first, "then": self._then, "steps": self._steps}
