"""Memory that TensorFlow can read where it lies."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT: Final = 64
"""That TensorFlow asks of memory that it did not allocate itself, in bytes."""


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of that shape and type, its values not set."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(kind).reshape(shape)


def is_aligned(array: NDArray[Any]) -> bool:
    """Whether TensorFlow can read an array where it lies."""
    flags = array.flags
    return flags.c_contiguous and flags.writeable and array.ctypes.data % ALIGNMENT == 0
