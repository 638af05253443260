"""Metrics of models that tell several labels of a row, as scikit-learn has them.

Precision, recall and f1 are means over all labels (macro), also over those that no measured row
has; with `_micro` behind the name they are of all labels of all rows together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.evaluation.names import check_names
from trainyard_trainer.evaluation.ranking import mean_roc_auc

THRESHOLD: Final = 0.5
"""What a probability has to reach for a row to have the label."""


@dataclass(frozen=True)
class _Told:
    """Attributes:
    truth, told: which labels rows have, and which they were given: (rows, labels).
    probabilities: of the same shape.
    """

    truth: NDArray[np.bool_]
    told: NDArray[np.bool_]
    probabilities: NDArray[Any]

    def counts(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Of each label: rows that have it and were given it, that were given it, that have it."""
        both = (self.truth & self.told).sum(axis=0)
        return both, self.told.sum(axis=0), self.truth.sum(axis=0)


def _share(part: NDArray[Any], of: NDArray[Any]) -> float:
    """The mean share; 0 where there is nothing to be a share of."""
    return float(np.where(of > 0, part / np.where(of > 0, of, 1), 0.0).mean())


def _precision(counts: tuple[NDArray[Any], ...]) -> float:
    both, given, _ = counts
    return _share(both, given)


def _recall(counts: tuple[NDArray[Any], ...]) -> float:
    both, _, had = counts
    return _share(both, had)


def _f1(counts: tuple[NDArray[Any], ...]) -> float:
    both, given, had = counts
    return _share(2 * both, given + had)


def _together(counts: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    return tuple(each.sum(keepdims=True) for each in counts)


_METRICS: Final[dict[str, Callable[[_Told], float]]] = {
    "accuracy": lambda of: float((of.truth == of.told).all(axis=1).mean()),
    "hamming_loss": lambda of: float((of.truth != of.told).mean()),
    "precision": lambda of: _precision(of.counts()),
    "recall": lambda of: _recall(of.counts()),
    "f1": lambda of: _f1(of.counts()),
    "precision_micro": lambda of: _precision(_together(of.counts())),
    "recall_micro": lambda of: _recall(_together(of.counts())),
    "f1_micro": lambda of: _f1(_together(of.counts())),
    "roc_auc": lambda of: mean_roc_auc(of.truth, of.probabilities),
}


def check(names: Sequence[str]) -> None:
    """Make sure that every metric can be computed.

    Raises:
        InvalidSpec: one cannot.
    """
    check_names(names, _METRICS, "several labels")


def measure(
    names: Sequence[str], targets: NDArray[Any], probabilities: NDArray[Any]
) -> dict[str, float]:
    """The metrics asked for.

    Args:
        targets: 0 or 1, (rows, labels).
        probabilities: of the same shape.

    Raises:
        InvalidSpec: a metric that cannot be computed.
    """
    check(names)
    of = _Told(targets > 0, probabilities >= THRESHOLD, probabilities)
    return {name: _METRICS[name](of) for name in names}
