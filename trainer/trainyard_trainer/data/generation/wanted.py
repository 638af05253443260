"""How many rows each class is to get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidSpec

FIELD: Final = "spec.data.generation"


@dataclass(frozen=True)
class Wanted:
    """Rows that one class lacks.

    Attributes:
        label: number of the class.
        rows: that are to be made.
    """

    label: int
    rows: int


def wanted(train: Part, classes: int, ratio: float) -> list[Wanted]:
    """What each class lacks to be `ratio` times as large as the largest; nothing for those that
    are.

    Args:
        classes: how many there are.
    """
    counts = np.bincount(train.targets, minlength=classes)
    size = round(ratio * int(counts.max()))
    return [
        Wanted(label, size - count)
        for label, count in enumerate(counts.tolist())
        if 0 < count < size
    ]


def check(schema: Schema) -> None:
    """Make sure that there is something to be generated.

    Raises:
        InvalidSpec: no classes are learned, or rows are texts.
    """
    if not isinstance(schema.target, Classes):
        raise InvalidSpec(
            f"{FIELD}: makes rows for rare classes, and none are learned here (the "
            f"task is {schema.target.task}); leave it out"
        )
    texts = [column.name for column in schema.columns if column.kind == "text"]
    if texts:
        raise InvalidSpec(
            f"{FIELD}: texts cannot be generated ({texts[0]}); leave it out, or let "
            "spec.data.source.features name the other columns"
        )
