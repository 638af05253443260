"""What a data set asks to be learned of each row: a class, several labels, numbers, or itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

TaskName = Literal["classification", "multi_label", "regression", "reconstruction"]

CLASSES_OF_A_CHOICE: Final = 100
"""Whole numbers with at most so many different values are taken for classes."""

NORMAL: Final = 0
"""Target of a row that is rebuilt, where it is no anomaly."""
ANOMALY: Final = 1


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
class SeveralLabels:
    """Each row has any number of several labels, also none.

    Attributes:
        names: as the data has them, in the order of their places in a row's target.
    """

    names: tuple[str, ...]

    task: TaskName = "multi_label"

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row: a probability for each label."""
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


@dataclass(frozen=True)
class Rebuilding:
    """Each row is rebuilt from fewer numbers than it has.

    Attributes:
        names: what the data calls rows that are normal and anomalies; empty: nobody knows which
            rows are anomalies, and all are learned from.
    """

    names: tuple[str, ...] = ()

    task: TaskName = "reconstruction"

    @property
    def outputs(self) -> int:
        """How many names there are."""
        return len(self.names)


Target: TypeAlias = Classes | SeveralLabels | Quantities | Rebuilding
