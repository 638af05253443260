"""Rows of which numbers that are not ordinary are taken for the nearest that are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.cleaning.ordinary import Ordinary
from trainyard_trainer.data.rows import Features, Numbers, RowSource


class Clipped:
    """The rows of another source, clipped as they are taken."""

    def __init__(self, source: RowSource, ordinary: Ordinary) -> None:
        self._source = source
        self._places = ordinary.places
        self._lowest = _within(source.dtype, np.ceil, ordinary.lowest)
        self._highest = _within(source.dtype, np.floor, ordinary.highest)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._source.dtype

    def __len__(self) -> int:
        return len(self._source)

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        rows = self._source.take(numbers)
        rows[:, self._places] = np.clip(rows[:, self._places], self._lowest, self._highest)
        return rows


def _within(dtype: np.dtype[Any], rounded: Any, bounds: NDArray[np.float64]) -> NDArray[Any]:
    """Bounds as numbers of the rows' type."""
    if dtype.kind == "f":
        return bounds.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(rounded(bounds), limits.min, limits.max).astype(dtype)
