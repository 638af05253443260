"""What stands where in a row as an autoencoder learns it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """The places of a coded row: numbers first, then truth values, then categories.

    Attributes:
        numbers: how many numbers, each of a scale like that of the normal distribution.
        truths: how many truth values, each 0 or 1.
        categories: how many codes each category has: a place for each code, of which one is 1.
    """

    numbers: int
    truths: int = 0
    categories: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Places of a row."""
        return self.numbers + self.truths + sum(self.categories)

    @property
    def truth_places(self) -> slice:
        """Those of truth values."""
        return slice(self.numbers, self.numbers + self.truths)

    @property
    def category_places(self) -> list[slice]:
        """Those of each category."""
        found, first = [], self.numbers + self.truths
        for codes in self.categories:
            found.append(slice(first, first + codes))
            first += codes
        return found
