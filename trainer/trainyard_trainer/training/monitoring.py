"""Whether a measure has improved."""

from __future__ import annotations

import math
from typing import Final

_MAXIMIZED: Final = frozenset(
    {"accuracy", "auc", "precision", "recall", "f1", "r2", "similarity", "elbo"}
)
"""Words in the names of measures of which more is better; of all others less is."""


def is_maximized(measure: str) -> bool:
    """Whether more of a measure is better, for example of val_accuracy."""
    return not _MAXIMIZED.isdisjoint(measure.split("_"))


def improves(measure: str, value: float, best: float | None, by: float = 0.0) -> bool:
    """Whether `value` is better than the best before it, by more than `by`.

    NaN is never better, and anything else is better than NaN or None.
    """
    if math.isnan(value):
        return False
    if best is None or math.isnan(best):
        return True
    return value > best + by if is_maximized(measure) else value < best - by
