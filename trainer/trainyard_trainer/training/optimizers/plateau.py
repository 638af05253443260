"""A learning rate that is made smaller when validation gets no better."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Waiting(NamedTuple):
    """What is remembered from epoch to epoch, as plain data that a checkpoint carries.

    Attributes:
        best: the smallest validation loss so far.
        waited: epochs since then, or since the rate was made smaller.
    """

    best: float = math.inf
    waited: int = 0


NOTHING_WAITED: Final = Waiting()


@dataclass(frozen=True)
class ReduceOnPlateau:
    """As Keras' callback of that name: the rate times `factor` after `patience` epochs without a
    smaller validation loss, but never below `minimum`.

    Raises:
        ValueError: a number that makes no sense.
    """

    initial_learning_rate: float = field(repr=False)
    factor: float = 0.5
    patience: int = 3
    minimum: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.factor < 1.0:
            raise ValueError(f"factor must be between 0 and 1, and is {self.factor}")
        if self.patience < 1:
            raise ValueError(f"patience must be 1 or more, and is {self.patience}")

    def after(self, waiting: Waiting, loss: float) -> Waiting:
        """After an epoch with that validation loss; NaN is never better."""
        if loss < waiting.best:
            return Waiting(loss, 0)
        waited = 0 if self.is_due(waiting) else waiting.waited
        return Waiting(waiting.best, waited + 1)

    def is_due(self, waiting: Waiting) -> bool:
        """Whether the rate is to be made smaller now."""
        return waiting.waited >= self.patience

    def smaller(self, rate: float) -> float:
        """The rate that follows one."""
        return min(rate, max(self.minimum, rate * self.factor))
