"""Early stopping, as plain data that a checkpoint carries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from trainyard_api.spec.training import EarlyStopping

_MAXIMIZED: Final = ("val_accuracy", "val_binary_accuracy", "val_elbo")


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
        if _is_better(spec, value, self.best):
            return Patience(best=value)
        waited = self.waited + 1
        return Patience(self.best, waited, stopped=waited >= spec.patience)


def _is_better(spec: EarlyStopping, value: float, best: float | None) -> bool:
    if math.isnan(value):
        return False
    if best is None or math.isnan(best):
        return True
    return value > best if spec.monitor in _MAXIMIZED else value < best
