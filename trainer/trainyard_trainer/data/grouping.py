"""Groups of rows that must stay together, dealt out so that sizes and classes come out even.

As scikit-learn's StratifiedGroupKFold does it: the groups that are hardest to place go first, each
to where it does the least harm to the shares that are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def assign(
    groups: NDArray[np.int64],
    classes: NDArray[np.int64] | None,
    shares: Sequence[float],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """A bin for each row, the same for all rows of a group.

    Args:
        groups: a number for each row.
        classes: of each row, to be shared out evenly; None: only the numbers of rows count.
        shares: of all rows that each bin should have; their sum is 1.
    """
    present, group_of = np.unique(groups, return_inverse=True)
    class_of = (
        np.zeros(len(groups), np.int64)
        if classes is None
        else np.unique(classes, return_inverse=True)[1]
    )
    bins = _place(_counts(group_of, class_of), shares, random.permutation(len(present)))
    _fill_empty(bins, np.bincount(group_of), len(shares))
    return bins[group_of]


def _counts(group_of: NDArray[Any], class_of: NDArray[Any]) -> NDArray[np.float64]:
    """Of each group, the share that it has of each class: (groups, classes)."""
    groups, classes = int(group_of.max()) + 1, int(class_of.max()) + 1
    counts = np.bincount(group_of * classes + class_of, minlength=groups * classes)
    counts = counts.reshape(groups, classes)
    return np.asarray(counts / counts.sum(axis=0), np.float64)


def _place(
    counts: NDArray[np.float64], shares: Sequence[float], order: NDArray[Any]
) -> NDArray[np.int64]:
    """A bin for each group."""
    hardest = order[np.argsort(-np.square(counts[order]).sum(axis=1), kind="stable")]
    # What each bin still wants of each class: (bins, classes).
    wanted = np.repeat(np.asarray(shares, np.float64)[:, np.newaxis], counts.shape[1], axis=1)
    bins = np.empty(len(counts), np.int64)
    for group in hardest:
        own = counts[group]
        # How much the squared distance from what is wanted changes, but for what all have alike.
        chosen = int(np.argmin(-(wanted @ own)))
        bins[group] = chosen
        wanted[chosen] -= own
    return bins


def _fill_empty(bins: NDArray[np.int64], sizes: NDArray[Any], count: int) -> None:
    """Give the smallest group to spare to a bin that wanted less than any group has."""
    for empty in np.setdiff1d(np.arange(count), bins):
        groups_of = np.bincount(bins, minlength=count)
        spare = np.flatnonzero(groups_of[bins] > 1)
        if len(spare):
            bins[spare[np.argmin(sizes[spare])]] = empty
