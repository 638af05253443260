"""Metrics of classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from trainyard_trainer.errors import InvalidSpec

Labels = NDArray[np.int64]


def _macro(function: Callable[..., Any]) -> Callable[[Labels, Labels], float]:
    # A class that is never predicted has a precision of 0, not none.
    return lambda labels, predicted: float(
        function(labels, predicted, average="macro", zero_division=0)
    )


_METRICS: Final[dict[str, Callable[[Labels, Labels], float]]] = {
    "accuracy": lambda labels, predicted: float(sklearn_metrics.accuracy_score(labels, predicted)),
    "precision": _macro(sklearn_metrics.precision_score),
    "recall": _macro(sklearn_metrics.recall_score),
    "f1": _macro(sklearn_metrics.f1_score),
}


def check(names: Sequence[str]) -> None:
    """Make sure that every metric can be computed.

    Raises:
        InvalidSpec: one cannot.
    """
    for name in names:
        if name not in _METRICS:
            raise InvalidSpec(
                f"spec.evaluation.metrics: {name} is not built yet; use one of: "
                + ", ".join(_METRICS)
            )


def measure(names: Sequence[str], labels: Labels, predicted: Labels) -> dict[str, float]:
    """The metrics asked for; precision, recall and f1 are means over the classes (macro).

    Args:
        labels, predicted: classes, shape (rows,).

    Raises:
        InvalidSpec: a metric that cannot be computed.
    """
    check(names)
    return {name: _METRICS[name](labels, predicted) for name in names}
