"""The parts that a model is trained, validated and tested on."""

from __future__ import annotations

from dataclasses import dataclass

from trainyard_trainer.data.moments import Moments
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Schema


@dataclass(frozen=True)
class Dataset:
    """The three parts, alike in what a row is.

    Attributes:
        validation: may be empty, where `spec.data.split.validation` is 0.
        moments: of the training part's columns or channels, as the model is given them; None where
            no scaling needs them.
        notes: what was decided for the user and what seems wrong, a sentence each.
    """

    train: Part
    validation: Part
    test: Part
    schema: Schema
    moments: Moments | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row: (columns,) or (height, width, channels)."""
        return self.schema.shape
