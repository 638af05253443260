"""What was summed over rows, on all workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sums:
    """Sums over rows.

    Attributes:
        loss: of rows as they were weighed, without penalties on the model's weights.
        rows: how many rows they are of.
        measures: of what the objective counts beside the loss, by name.
    """

    loss: float
    rows: float
    measures: Mapping[str, float]

    @classmethod
    def of(cls, names: Sequence[str], summed: Sequence[float]) -> Sums:
        """From the numbers that a graph gives: loss, rows, measures in the order of `names`."""
        loss, rows, *measures = summed
        return cls(loss, rows, dict(zip(names, measures, strict=True)))

    def __add__(self, other: Sums) -> Sums:
        both = {name: value + other.measures[name] for name, value in self.measures.items()}
        return Sums(self.loss + other.loss, self.rows + other.rows, both)

    @property
    def mean_loss(self) -> float:
        """Loss of a row."""
        return self.loss / max(self.rows, 1.0)

    @property
    def means(self) -> dict[str, float]:
        """Each measure of a row."""
        return {name: value / max(self.rows, 1.0) for name, value in self.measures.items()}
