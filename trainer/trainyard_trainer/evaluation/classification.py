"""Metrics of classifiers.

Precision, recall and f1 are means over all classes of the data set (macro), also over those of
which the measured rows have none: a class that nobody can find is no reason for a better mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.evaluation.names import check_names
from trainyard_trainer.evaluation.ranking import mean_roc_auc

Labels = NDArray[np.int64]
_Counts = NDArray[Any]
"""Rows by class that they have and class that they were given: (classes, classes)."""


def _share(part: _Counts, of: _Counts) -> NDArray[np.float64]:
    """For each class; 0 where there is nothing to be a share of."""
    return np.where(of > 0, part / np.where(of > 0, of, 1), 0.0)


def _precision(counts: _Counts) -> NDArray[np.float64]:
    return _share(np.diag(counts), counts.sum(axis=0))


def _recall(counts: _Counts) -> NDArray[np.float64]:
    return _share(np.diag(counts), counts.sum(axis=1))


def _f1(counts: _Counts) -> NDArray[np.float64]:
    return _share(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


ROC_AUC: Final = "roc_auc"
"""Needs probabilities: see `roc_auc`."""

_METRICS: Final[dict[str, Callable[[_Counts], float]]] = {
    "accuracy": lambda counts: float(np.trace(counts) / counts.sum()),
    "precision": lambda counts: float(_precision(counts).mean()),
    "recall": lambda counts: float(_recall(counts).mean()),
    "f1": lambda counts: float(_f1(counts).mean()),
}


def check(names: Sequence[str]) -> None:
    """Make sure that every metric can be computed.

    Raises:
        InvalidSpec: one cannot.
    """
    check_names(names, (*_METRICS, ROC_AUC), "a classification")


def confusion(labels: Labels, predicted: Labels, classes: int) -> _Counts:
    """Rows by class that they have and class that they were given, int64 [classes, classes]."""
    pairs = labels * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def roc_auc(labels: Labels, probabilities: NDArray[Any]) -> float:
    """Area under the receiver operating characteristic of each class against all others, a mean
    over the classes; of two classes both have the same.

    Args:
        labels: classes, (rows,).
        probabilities: (rows, classes).
    """
    truth = labels[:, np.newaxis] == np.arange(probabilities.shape[1])
    return mean_roc_auc(truth, probabilities)


def measure(
    names: Sequence[str], labels: Labels, predicted: Labels, classes: int
) -> dict[str, float]:
    """The metrics asked for, of those that need no probabilities.

    Args:
        labels, predicted: classes, shape (rows,).
        classes: how many the data set has.
    """
    counts = confusion(labels, predicted, classes)
    return {name: _METRICS[name](counts) for name in names}
