"""Constant rates, each from a step on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import keras

_DROP: Final = 0.1


class Piecewise(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate times a factor that changes at given steps."""

    def __init__(
        self,
        initial_learning_rate: float,
        boundaries: Sequence[float] = (),
        factors: Sequence[float] = (),
    ) -> None:
        """Args:
        boundaries: steps, rising; the first step that a factor holds for.
        factors: what the first rate is multiplied by from each boundary on; by default a tenth
            of the rate before.

        Raises:
            ValueError: the lists do not fit each other, or the boundaries do not rise.
        """
        if not boundaries:
            raise ValueError("piecewise needs boundaries: steps at which the rate changes")
        whole = all(float(each).is_integer() and each >= 1 for each in boundaries)
        if not whole or list(boundaries) != sorted(set(boundaries)):
            raise ValueError("boundaries must be whole numbers from 1 on that rise")
        if factors and len(factors) != len(boundaries):
            raise ValueError(
                f"{len(boundaries)} boundaries and {len(factors)} factors; give as many of each"
            )
        if any(factor <= 0 for factor in factors):
            raise ValueError("factors must be above 0")
        self._boundaries = [float(boundary) for boundary in boundaries]
        tenths = [_DROP ** (index + 1) for index in range(len(boundaries))]
        self._rates = [initial_learning_rate * each for each in (1.0, *(factors or tenths))]

    def __call__(self, step: Any) -> Any:
        """The rate of a step, from 0."""
        ops = keras.ops
        place = ops.cast(step, "float32")
        passed = ops.sum(ops.cast(place >= ops.convert_to_tensor(self._boundaries), "int32"))
        return ops.take(ops.convert_to_tensor(self._rates), passed)
