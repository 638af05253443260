"""Rows that lie in this process's memory, once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.memory import aligned
from trainyard_trainer.data.rows import Features, Numbers

_KEPT: Final = frozenset(["uint8", "int8", "uint16", "int16", "float16", "float32"])
"""Types that a step may take as they are: float32 holds all their values exactly."""


class Resident:
    """An array, of which rows are taken as float32 or in their own smaller type.

    Wider numbers are shifted in their own precision first, where a shift is given: float32 has
    seven digits, and times since 1970 spend them all on the years.
    """

    def __init__(self, array: NDArray[Any], shift: NDArray[np.float64] | None = None) -> None:
        """Args:
        array: shape (rows, *row), of finite numbers; it is not copied.
        shift: float64, one for each entry of the last axis; None: nothing is taken off.
        """
        self._array = array.view(np.uint8) if array.dtype == np.bool_ else array
        self._shift = shift

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(self._array.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        kept = self._shift is None and self._array.dtype.name in _KEPT
        return self._array.dtype if kept else np.dtype(np.float32)

    @property
    def stored(self) -> np.dtype[Any]:
        """Type in which the rows are stored."""
        return self._array.dtype

    def __len__(self) -> int:
        return len(self._array)

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        answer = aligned((len(numbers), *self.shape), self.dtype)
        if self._array.dtype == self.dtype and self._shift is None:
            # Every number is a row's: "clip" only saves NumPy a buffer.
            return np.take(self._array, numbers, axis=0, out=answer, mode="clip")
        picked = np.take(self._array, numbers, axis=0)
        answer[...] = picked if self._shift is None else picked - self._shift
        return answer

    def wide(self, numbers: Numbers) -> NDArray[np.float64]:
        """The rows of these numbers before the shift, in float64."""
        return np.take(self._array, numbers, axis=0).astype(np.float64)

    def shifted(self, shift: NDArray[np.float64]) -> Resident:
        """The same rows, from which `shift` is taken off."""
        return Resident(self._array, shift)
