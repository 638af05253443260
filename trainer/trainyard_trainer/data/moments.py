"""Means and spreads of columns, in float64 and a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Part

Values = NDArray[np.float64]

_BYTES: Final = 256


@dataclass(frozen=True)
class Moments:
    """Of each entry of the last axis: a column of a table, a channel of pictures; float64.

    Attributes:
        spread: standard deviation.
    """

    mean: Values
    spread: Values
    lowest: Values
    highest: Values


def moments_of(pieces: Callable[[], Iterator[NDArray[Any]]]) -> Moments:
    """The moments of all rows, in two passes for the sake of precision.

    NaN stands for a missing value and does not count.

    Args:
        pieces: the rows from the first to the last, some at a time, shape (rows, *row); called more
            than once.
    """
    first = next(pieces(), None)
    if first is not None and first.dtype == np.uint8:
        return _of_bytes(pieces())
    count: Any = 0
    total: Any = 0.0
    lowest: Any = np.inf
    highest: Any = -np.inf
    for values in map(_columns, pieces()):
        count = count + np.isfinite(values).sum(axis=0)
        total = total + np.nansum(values, axis=0)
        lowest = np.fmin(lowest, np.fmin.reduce(values, axis=0))
        highest = np.fmax(highest, np.fmax.reduce(values, axis=0))
    known = np.maximum(count, 1)
    mean = total / known
    squares: Any = 0.0
    for values in map(_columns, pieces()):
        squares = squares + np.nansum(np.square(values - mean), axis=0)
    return Moments(mean, np.sqrt(squares / known), lowest, highest)


def _of_bytes(pieces: Iterator[NDArray[Any]]) -> Moments:
    """The same for bytes, in one pass: how often each of their 256 values occurs tells all."""
    counts: Any = 0
    for rows in pieces:
        columns = np.ascontiguousarray(rows.reshape(-1, rows.shape[-1]).T)
        counts = counts + np.array([np.bincount(each, minlength=_BYTES) for each in columns])
    values, total = np.arange(_BYTES, dtype=np.float64), counts.sum(axis=1)
    mean = counts @ values / total
    squares = (counts * np.square(values - mean[:, np.newaxis])).sum(axis=1)
    occurs = counts > 0
    highest = _BYTES - 1 - occurs[:, ::-1].argmax(axis=1)
    return Moments(
        mean, np.sqrt(squares / total), occurs.argmax(axis=1).astype(float), highest.astype(float)
    )


def moments(part: Part, channels_first: bool = False) -> Moments:
    """The moments of a part's rows as the model is given them.

    Args:
        channels_first: rows are pictures of shape (channels, height, width).
    """
    return moments_of(
        lambda: (
            np.moveaxis(rows.features, 1, -1) if channels_first else rows.features
            for rows in part.pieces()
        )
    )


def _columns(rows: NDArray[Any]) -> Values:
    return rows.astype(np.float64).reshape(-1, rows.shape[-1])
