"""What is ordinary in columns of numbers: by their deviations, or by their quartiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.moments import moments_of
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec

FIELD: Final = "spec.data.cleaning.outliers"
_SAMPLE: Final = 2**22
"""Numbers of all columns together that quartiles are taken of: 32 MB."""


@dataclass(frozen=True)
class Measured:
    """A column of numbers.

    Attributes:
        place: in the row.
        shift: what was taken off its numbers.
    """

    name: str
    place: int
    shift: float


@dataclass(frozen=True)
class Ordinary:
    """Bounds of what is ordinary, one for each column; infinite where all is.

    Attributes:
        columns: of numbers, in the order of the bounds.
        lowest, highest: in the units of the row, after the shift.
    """

    columns: tuple[Measured, ...]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]

    @property
    def places(self) -> NDArray[np.int64]:
        """Of the columns in a row."""
        return np.array([column.place for column in self.columns], np.int64)

    def beyond(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Which numbers are not ordinary: (rows, columns). What is missing is."""
        numbers = rows[:, self.places].astype(np.float64)
        return np.asarray((numbers < self.lowest) | (numbers > self.highest))


def measured_columns(schema: Schema) -> tuple[Measured, ...]:
    """The columns of numbers that rows have.

    Raises:
        InvalidSpec: they have none.
    """
    if schema.columns:
        found = tuple(
            Measured(column.name, column.first, column.shift)
            for column in schema.columns
            if column.kind == "number"
        )
    elif len(schema.shape) == 1:
        shift = schema.shift or (0.0,) * schema.shape[0]
        found = tuple(Measured(f"column {at}", at, each) for at, each in enumerate(shift))
    else:
        found = ()
    if not found:
        raise InvalidSpec(
            f"{FIELD}: looks at columns of numbers, and a row here has none (its shape is "
            f"{schema.shape}); leave it out"
        )
    return found


def by_deviation(part: Part, columns: tuple[Measured, ...], threshold: float) -> Ordinary:
    """Within so many standard deviations of the mean."""
    places = [column.place for column in columns]
    found = moments_of(lambda: (rows.features[:, places] for rows in part.pieces()))
    reach = threshold * np.where(found.spread > 0.0, found.spread, np.inf)
    return Ordinary(columns, found.mean - reach, found.mean + reach)


def by_quartiles(part: Part, columns: tuple[Measured, ...], threshold: float) -> Ordinary:
    """Within so many interquartile ranges of the quartiles (Tukey, Exploratory Data Analysis,
    1977). A column of which half the numbers are one tells no range: all of it is ordinary.
    """
    places = [column.place for column in columns]
    every = max(1, math.ceil(len(part) * len(places) / _SAMPLE))
    some = part.only(np.arange(0, len(part), every, dtype=np.int64))
    sample = np.concatenate([rows.features[:, places] for rows in some.pieces()])
    with np.errstate(all="ignore"):
        low, high = np.nanquantile(sample.astype(np.float64), (0.25, 0.75), axis=0)
    reach = threshold * (high - low)
    known = reach > 0.0
    return Ordinary(
        columns, np.where(known, low - reach, -np.inf), np.where(known, high + reach, np.inf)
    )
