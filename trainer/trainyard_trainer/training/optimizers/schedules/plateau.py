"""A rate that is reduced when a measure of the validation part does not improve any more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.training.monitoring import improves


@dataclass(frozen=True)
class Memory:
    """What the rule remembers from epoch to epoch.

    Attributes:
        scale: what the first rate is multiplied by.
        best: best value so far; None before the first that was a number.
        waited: epochs without a better one.
        resting: epochs that are not counted any more after a reduction.
    """

    scale: float = 1.0
    best: float | None = None
    waited: int = 0
    resting: int = 0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Memory:
        """From what `values` gave."""
        scale, best, has_best, waited, resting = values.tolist()
        return cls(scale, best if has_best else None, int(waited), int(resting))

    def values(self) -> NDArray[np.float64]:
        """As numbers, float64 (5,)."""
        known = self.best is not None
        return np.array([self.scale, self.best or 0.0, known, self.waited, self.resting])


@dataclass(frozen=True)
class Rule:
    """When the rate is reduced, and to what; names and defaults are Keras's, but for patience.

    Attributes:
        min_lr: the rate never falls below it.
        first: rate before any reduction.
    """

    first: float
    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 3
    min_delta: float = 1e-4
    cooldown: int = 0
    min_lr: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.factor < 1.0:
            raise ValueError(f"factor is {self.factor:g}; it must lie between 0 and 1")
        for name in ("patience", "cooldown"):
            if not float(getattr(self, name)).is_integer():
                raise ValueError(f"{name} must be a whole number of epochs")
        if self.patience < 1:
            raise ValueError("patience must be at least 1")
        if min(self.min_delta, self.cooldown, self.min_lr) < 0:
            raise ValueError("min_delta, cooldown and min_lr must not be below 0")

    def after(self, memory: Memory, value: float) -> Memory:
        """The memory after an epoch in which the monitored measure was `value`."""
        resting = max(0, memory.resting - 1)
        if improves(self.monitor, value, memory.best, self.min_delta):
            return Memory(memory.scale, value, 0, resting)
        waited = 0 if memory.resting else memory.waited + 1
        if waited < self.patience:
            return replace(memory, waited=waited, resting=resting)
        scale = max(memory.scale * self.factor, min(self.min_lr / self.first, memory.scale))
        return Memory(scale, memory.best, 0, int(self.cooldown))


class ReduceOnPlateau(keras.optimizers.schedules.LearningRateSchedule):
    """The rate that a rule leads to. To be made in the strategy's scope.

    Attributes:
        memory: variable, float64 (5,); see `Memory`.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.memory = keras.Variable(
            Memory().values(), dtype="float64", trainable=False, name="plateau"
        )

    def __call__(self, step: Any) -> Any:
        """The rate, whatever the step."""
        del step
        return self.rule.first * keras.ops.cast(
            keras.ops.convert_to_tensor(self.memory)[0], "float32"
        )

    def judged(self, value: float) -> NDArray[np.float64]:
        """What the memory is after an epoch in which the measure was `value`."""
        now = Memory.of(np.asarray(self.memory.numpy()))
        return self.rule.after(now, value).values()
