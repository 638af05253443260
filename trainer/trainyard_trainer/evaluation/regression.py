"""Metrics of models that tell numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.evaluation.names import check_names

Numbers = NDArray[Any]


def _r2(targets: Numbers, predicted: Numbers) -> float:
    """Coefficient of determination, a mean over outputs; 0 for one that never changes."""
    residual = np.square(targets - predicted).sum(axis=0)
    total = np.square(targets - targets.mean(axis=0)).sum(axis=0)
    explained = np.where(total > 0, 1.0 - residual / np.where(total > 0, total, 1.0), 0.0)
    return float(explained.mean())


_METRICS: Final[dict[str, Callable[[Numbers, Numbers], float]]] = {
    "mae": lambda targets, predicted: float(np.abs(targets - predicted).mean()),
    "rmse": lambda targets, predicted: float(
        np.sqrt(np.square(targets - predicted).mean(axis=0)).mean()
    ),
    "r2": _r2,
}

NAMES: Final = tuple(_METRICS)


def check(names: Sequence[str]) -> None:
    """Make sure that every metric can be computed.

    Raises:
        InvalidSpec: one cannot.
    """
    check_names(names, _METRICS, "a regression")


def measure(names: Sequence[str], targets: Numbers, predicted: Numbers) -> dict[str, float]:
    """The metrics asked for, in the targets' unit, means over the outputs.

    Args:
        targets, predicted: shape (rows, outputs).

    Raises:
        InvalidSpec: a metric that cannot be computed.
    """
    check(names)
    wide, told = targets.astype(np.float64), predicted.astype(np.float64)
    return {name: _METRICS[name](wide, told) for name in names}
