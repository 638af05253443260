"""Early stopping, as plain data that a checkpoint carries."""

from __future__ import annotations

from dataclasses import dataclass

from trainyard_api.spec.training import EarlyStopping
from trainyard_trainer.training.monitoring import improves


@dataclass(frozen=True)
class Patience:
    """What early stopping remembers.

    Attributes:
        best: best value of the monitored metric so far; None before the first epoch
            in which it was a number.
        waited: epochs without a better one.
        stopped: patience is used up.
    """

    best: float | None = None
    waited: int = 0
    stopped: bool = False

    def after(self, spec: EarlyStopping, value: float) -> Patience:
        """After an epoch in which the monitored metric was `value`; NaN is never better."""
        if improves(spec.monitor, value, self.best, spec.minDelta):
            return Patience(best=value)
        waited = self.waited + 1
        return Patience(self.best, waited, stopped=waited >= spec.patience)
