"""Rows of a class as generators take them: flat, complete numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Features, Numbers, Part
from trainyard_trainer.data.schema import Schema


def complete(part: Part, schema: Schema) -> NDArray[np.float32]:
    """All rows of a part, float32 (rows, numbers), with what stands for missing ones filled in."""
    return filled(part.features(), schema)


def filled(features: Features, schema: Schema) -> NDArray[np.float32]:
    """The same of rows that were taken: float32 (rows, numbers)."""
    rows = features.reshape(len(features), math.prod(schema.shape)).astype(np.float32)
    for column in schema.columns:
        if column.fill is not None:
            values = rows[:, column.first]
            values[np.isnan(values)] = column.fill
    return rows


def some(part: Part, places: Numbers, most: int, random: np.random.Generator) -> Part:
    """The part that has these places alone, or as many of them as are wanted at most."""
    if len(places) > most:
        places = np.sort(random.choice(places, most, replace=False))
    return part.only(places)


def some_of_each(part: Part, classes: int, most: int, random: np.random.Generator) -> Part:
    """The part, or as many rows of each class as are wanted of all together at most: those of rare
    classes stay.
    """
    if len(part) <= most:
        return part
    of_class = (np.flatnonzero(part.targets == label) for label in range(classes))
    share = max(1, most // classes)
    kept = [some(part, places, share, random) for places in of_class]
    return Part(
        part.source,
        np.concatenate([each.numbers for each in kept]),
        np.concatenate([each.targets for each in kept]),
    )


def like(rows: NDArray[Any], part: Part) -> NDArray[Any]:
    """Flat rows in the shape and type of a part's own."""
    dtype = part.source.dtype
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        rows = np.clip(np.rint(rows), limits.min, limits.max)
    return rows.astype(dtype).reshape(len(rows), *part.shape)


def codes(schema: Schema) -> list[int]:
    """Places of a row that hold one of several values: categories and truth values."""
    kinds = ("category", "boolean")
    return [column.first for column in schema.columns if column.kind in kinds]
