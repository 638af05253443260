"""How well scores put the rows that are something before those that are not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
Scores = NDArray[Any]

_CHANCE: Final = 0.5


def roc_auc(truth: Truth, scores: Scores) -> float | None:
    """Area under the receiver operating characteristic: the probability that of two rows, one of
    each kind, the right one has the larger score; equal ones count half (Hanley and McNeil, 1982).

    Args:
        truth, scores: shape (rows,).

    Returns:
        None: all rows are of one kind.
    """
    from scipy.stats import rankdata

    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return None
    above = rankdata(scores)[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def mean_roc_auc(truth: NDArray[np.bool_], scores: Scores) -> float:
    """The mean over columns of which the rows have both kinds; 0.5, as of chance, without any.

    Args:
        truth, scores: shape (rows, columns).
    """
    each = [roc_auc(*column) for column in zip(truth.T, scores.T, strict=True)]
    told = [area for area in each if area is not None]
    return float(np.mean(told)) if told else _CHANCE


def average_precision(truth: Truth, scores: Scores) -> float:
    """The precision at each threshold, weighed by the recall that it adds; 0 where no row is
    positive.

    Args:
        truth, scores: shape (rows,).
    """
    positive = int(truth.sum())
    if not positive:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    # Rows of one score come in together.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(truth[order])[last]
    precision, recall = found / (last + 1), found / positive
    return float((np.diff(recall, prepend=0.0) * precision).sum())
