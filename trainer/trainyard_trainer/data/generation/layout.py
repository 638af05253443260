"""What stands where in a row as an autoencoder learns it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainyard_trainer.data.schema import Column, Schema


@dataclass(frozen=True)
class Layout:
    """The places of a coded row: numbers first, then categories.

    Attributes:
        numbers: how many numbers, each of a scale like that of the normal distribution.
        categories: how many codes each category has: a place for each code, of which one is 1.
    """

    numbers: int
    categories: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Places of a row."""
        return self.numbers + sum(self.categories)

    @property
    def category_places(self) -> list[slice]:
        """Those of each category."""
        found, first = [], self.numbers
        for codes in self.categories:
            found.append(slice(first, first + codes))
            first += codes
        return found


def layout_of(schema: Schema) -> Layout:
    """Of rows of a schema without texts."""
    categories = tuple(found for column in schema.columns if (found := codes_of(column)))
    return Layout(math.prod(schema.shape) - len(categories), categories)


def codes_of(column: Column) -> int:
    """How many codes a column has; 0: it holds numbers."""
    return {"boolean": 2, "category": len(column.vocabulary) + 1}.get(column.kind, 0)
