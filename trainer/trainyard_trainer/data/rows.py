"""Rows by number: what every later part of the trainer asks of the data, wherever it lies.

The plan of an epoch is made of row numbers alone. Whoever holds the rows gives those that a step
takes, and no step can tell whether they came from memory or from a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
"""Row numbers, shape (rows,)."""
Place = Callable[[int], str]
"""Where the row of a number is, as people see it: a file and a row of it."""
Features = NDArray[Any]
"""Shape (rows, *row)."""
Targets = NDArray[Any]
"""What is learned of each row: classes, int64 (rows,), or numbers, float32
(rows, outputs). Of rows that are rebuilt, 1 for an anomaly and 0 else, int64 (rows,)."""

PIECE_BYTES: Final = 2 * 2**20
"""What is taken at once where all rows are looked at, in bytes of features."""


class RowSource(Protocol):
    """Rows of one shape and type that can be taken by number, in any order, any number of times.

    `take` may be called from several threads. The same number gives the same row for as long as
    the source lives, and in every process that opened the same data.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row: (columns,) or (height, width, channels)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives: one that TensorFlow casts to float32 without loss."""

    def __len__(self) -> int:
        """How many rows there are."""

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order: (len(numbers), *shape)."""


class StoredRows(RowSource, Protocol):
    """Rows in the type that they were stored in, which may be wider than what `take` gives."""

    @property
    def stored(self) -> np.dtype[Any]:
        """Type in which the rows are stored."""

    def wide(self, numbers: Numbers) -> NDArray[np.float64]:
        """The rows of these numbers before a shift, in float64."""

    def shifted(self, shift: NDArray[np.float64]) -> StoredRows:
        """The same rows, from which `shift` is taken off before they are made float32."""


@dataclass(frozen=True)
class Rows:
    """Some rows and what they are."""

    features: Features
    targets: Targets

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Part:
    """One part of the data: some rows of a source, which others may share.

    Attributes:
        numbers: of the rows in `source`.
        targets: of the same rows, in the same order.
    """

    source: RowSource
    numbers: Numbers
    targets: Targets

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self.source.shape

    @property
    def row_bytes(self) -> int:
        """Bytes of one row's features as `take` gives them."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.source.dtype.itemsize

    def take(self, places: Numbers) -> Rows:
        """The rows at these places of the part (from 0), in this order."""
        return Rows(self.source.take(self.numbers[places]), self.targets[places])

    def only(self, places: Numbers) -> Part:
        """The part that has these places alone."""
        return Part(self.source, self.numbers[places], self.targets[places])

    def without(self, places: Numbers) -> Part:
        """The part that lacks these places, each of which is named once."""
        kept = np.ones(len(self), np.bool_)
        kept[places] = False
        return self.only(np.flatnonzero(kept))

    def at_once(self, piece_bytes: int = PIECE_BYTES) -> int:
        """How many rows make a piece."""
        return max(1, piece_bytes // max(1, self.row_bytes))

    def pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[Rows]:
        """All rows in order, some at a time: a copy of the whole would cost as much again."""
        at_once = self.at_once(piece_bytes)
        for first in range(0, len(self), at_once):
            yield self.take(np.arange(first, min(first + at_once, len(self)), dtype=np.int64))

    def features(self) -> Features:
        """All rows' features at once, for parts that are known to be small."""
        return self.source.take(self.numbers)


def kept_of(good: NDArray[np.bool_]) -> Callable[[int], int]:
    """Which of all rows the kept ones are: from the number of a kept row to its number among all.

    Args:
        good: of all rows, those that are kept.
    """

    if good.all():
        return lambda number: number

    @cache
    def numbers() -> Numbers:
        # Eight bytes a row, where somebody asks.
        return np.flatnonzero(good)

    return lambda number: int(numbers()[number])


def whole(source: RowSource, targets: Targets) -> Part:
    """All rows of a source, in its order."""
    return Part(source, np.arange(len(source), dtype=np.int64), targets)
