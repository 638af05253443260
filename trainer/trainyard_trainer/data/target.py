"""What a data set asks to be learned of each row: classes with names, or numbers with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

TaskName = Literal["classification", "regression"]

CLASSES_OF_A_CHOICE: Final = 100
"""Whole numbers with at most so many different values are taken for classes."""


@dataclass(frozen=True)
class Classes:
    """Each row belongs to one of several classes.

    Attributes:
        names: as the data has them, by the number that stands for each.
    """

    names: tuple[str, ...]

    task: TaskName = "classification"

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row: a probability for each class."""
        return len(self.names)


@dataclass(frozen=True)
class Quantities:
    """Each row has one number or several.

    Attributes:
        names: one for each number.
    """

    names: tuple[str, ...]

    task: TaskName = "regression"

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row."""
        return len(self.names)


Target: TypeAlias = Classes | Quantities
