"""Numbers that stand for rows: equal rows have equal ones, and others hardly ever.

They are the same in every process, unlike Python's own hashes: all workers must decide alike. A
row is taken as words of 64 bits, each mixed with a key of its place (as MurmurHash3 finishes a
number), and added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Part

Prints = NDArray[np.uint64]
"""Shape (rows,)."""

_WORD: Final = 8
_SEED: Final = 64
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)
_HALF: Final = np.uint64(33)


class Fingerprints:
    """Of rows of one shape and type."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Args:
        shape: of a row.
        dtype: to which rows are cast first.
        """
        self._dtype = dtype
        self._bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        words = -(-self._bytes // _WORD)
        random = np.random.default_rng(_SEED)
        self._keys = random.integers(0, 2**64, words, dtype=np.uint64)

    def of(self, rows: NDArray[Any]) -> Prints:
        """The fingerprint of each row.

        Args:
            rows: shape (rows, *row).
        """
        words = self._words(rows)
        words += self._keys
        words ^= words >> _HALF
        words *= _FIRST
        words ^= words >> _HALF
        summed = words.sum(axis=1, dtype=np.uint64)
        summed *= _SECOND
        summed ^= summed >> _HALF
        return np.asarray(summed, np.uint64)

    def _words(self, rows: NDArray[Any]) -> NDArray[np.uint64]:
        """A copy of the rows as words, with zeros behind where the last is not full."""
        flat = np.ascontiguousarray(rows, self._dtype).reshape(len(rows), -1).view(np.uint8)
        if self._bytes % _WORD == 0:
            return flat.view(np.uint64).copy()
        padded = np.zeros((len(rows), len(self._keys) * _WORD), np.uint8)
        padded[:, : self._bytes] = flat
        return padded.view(np.uint64)


def common_type(*parts: Part) -> np.dtype[Any]:
    """The type in which rows of all parts are compared: as the model takes them."""
    types = {part.source.dtype for part in parts}
    return types.pop() if len(types) == 1 else np.dtype(np.float32)


def pieces(part: Part, dtype: np.dtype[Any]) -> Iterator[tuple[int, Prints]]:
    """The fingerprints of all rows of a part, some at a time, and the place of the first."""
    prints, first = Fingerprints(part.shape, dtype), 0
    for rows in part.pieces():
        yield first, prints.of(rows.features)
        first += len(rows)


def all_of(part: Part, dtype: np.dtype[Any]) -> Prints:
    """The fingerprints of all rows of a part: 8 bytes a row."""
    return np.concatenate([np.empty(0, np.uint64), *(found for _, found in pieces(part, dtype))])
