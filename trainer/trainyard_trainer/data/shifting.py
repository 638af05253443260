"""Numbers of which float32 would lose what tells them apart.

Times since 1970 in seconds, numbers of accounts, a sensor's 101,325 pascals and some: the spread
of such a column is lost in seven digits. A constant is taken off them in float64 first, which the
model's contract tells whoever asks the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.listing import listed
from trainyard_trainer.data.moments import Moments, moments_of
from trainyard_trainer.data.rows import PIECE_BYTES, Numbers, StoredRows

_FLOAT32_STEP: Final = 2.0**-24
"""Half the distance of neighbours, as a share of a number: what rounding may add."""
_TOLERATED: Final = 1e-3
"""Of the spread: what rounding may add without anybody's notice."""


def needed_shift(found: Moments) -> NDArray[np.float64]:
    """What is to be taken off each column; 0 where float32 holds it as it is."""
    largest = np.maximum(np.abs(found.lowest), np.abs(found.highest))
    lost = (largest * _FLOAT32_STEP > _TOLERATED * found.spread) & (found.spread > 0)
    return np.where(lost, found.mean, 0.0)


def is_wide(source: StoredRows) -> bool:
    """Whether rows are stored in a type of which float32 cannot hold all numbers."""
    return source.stored.itemsize > 2 and source.stored != np.float32


def shift_of(source: StoredRows, numbers: Numbers) -> NDArray[np.float64] | None:
    """The shift that the columns of these rows need; None where none does."""
    if not is_wide(source):
        return None
    at_once = max(1, PIECE_BYTES // max(1, int(np.prod(source.shape)) * 8))

    def pieces() -> Iterator[NDArray[np.float64]]:
        for first in range(0, len(numbers), at_once):
            yield source.wide(numbers[first : first + at_once])

    shift = needed_shift(moments_of(pieces))
    return shift if shift.any() else None


def describe(shift: Sequence[float], names: Sequence[str] = ()) -> str:
    """Which columns are shifted, for people."""
    places = [place for place, taken in enumerate(shift) if taken]
    named = [names[place] if names else f"column {place}" for place in places]
    return (
        f"{listed(named, 3)}: the values differ by less than float32 tells apart; "
        f"{'their means are' if len(named) > 1 else 'its mean is'} taken off in float64 first"
    )
