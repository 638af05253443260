"""The parts that a model is trained, validated and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trainyard_trainer.data.findings import Finding
from trainyard_trainer.data.moments import Moments
from trainyard_trainer.data.rows import Part, Place
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.source import PartName


@dataclass(frozen=True)
class Dataset:
    """The three parts, alike in what a row is.

    Attributes:
        validation: may be empty, where `spec.data.split.validation` is 0.
        moments: of the training part's columns or channels, as the model is given them; None where
            no scaling needs them.
        notes: what was decided for the user and what seems wrong, a sentence each.
        places: where the rows of each part's source are; those that were cut off the training part
            share its source.
        findings: what cleaning found in the training part.
        generated: how many rows were made for rare classes, beside those of the training part.
    """

    train: Part
    validation: Part
    test: Part
    schema: Schema
    moments: Moments | None = None
    notes: tuple[str, ...] = ()
    places: Mapping[PartName, Place] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    generated: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row: (columns,) or (height, width, channels)."""
        return self.schema.shape

    def place(self, part: PartName, number: int) -> str:
        """Where the row of that number in a part's source is, for people."""
        return self.places.get(part, self.places["train"])(number)

    def changed(self, train: Part, finding: Finding, note: str) -> Dataset:
        """The data set with another training part, and why it is another."""
        return replace(
            self, train=train, findings=(*self.findings, finding), notes=(*self.notes, note)
        )
