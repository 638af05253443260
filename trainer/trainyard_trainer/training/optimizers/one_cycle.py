"""One cycle of the learning rate over the whole training.

Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates
(2018), with the halves of cosines that its implementations have come to.
"""

from __future__ import annotations

import math
from typing import Any, Final

import keras
import tensorflow as tf

_PEAK: Final = 10.0
_FINAL: Final = 1e-3


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Grows from the first rate to a peak, and falls to next to nothing."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        peak: float | None = None,
        final: float | None = None,
        share: float = 0.3,
    ) -> None:
        """Args:
        decay_steps: that the cycle has.
        peak: the highest rate; by default ten times the first.
        final: the last rate; by default a thousandth of the first.
        share: of the steps, until the peak; between 0 and 1.

        Raises:
            ValueError: the share is not.
        """
        if not 0.0 < share < 1.0:
            raise ValueError(f"share must be between 0 and 1, and is {share}")
        self._first = initial_learning_rate
        self._steps = decay_steps
        self._peak = _PEAK * initial_learning_rate if peak is None else peak
        self._final = _FINAL * initial_learning_rate if final is None else final
        self._share = share

    def __call__(self, step: Any) -> Any:
        """The rate of a step, counted from 0."""
        done = tf.minimum(tf.cast(step, tf.float32) / self._steps, 1.0)
        rising = _between(self._first, self._peak, done / self._share)
        falling = _between(self._peak, self._final, (done - self._share) / (1.0 - self._share))
        return tf.where(done < self._share, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """What it was made of."""
        return {
            "initial_learning_rate": self._first,
            "decay_steps": self._steps,
            "peak": self._peak,
            "final": self._final,
            "share": self._share,
        }


def _between(begin: float, end: float, part: Any) -> Any:
    """Half a cosine from `begin` (part 0) to `end` (part 1)."""
    return end + (begin - end) * (1.0 + tf.cos(math.pi * tf.clip_by_value(part, 0.0, 1.0))) / 2.0
