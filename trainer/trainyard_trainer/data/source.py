"""What a source brings, before it is divided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from numpy.typing import NDArray

from trainyard_api.spec.data import Resize
from trainyard_trainer.data.rows import Place, StoredRows

FIELD: Final = "spec.data.source.uri"

PartName = Literal["train", "validation", "test"]
PARTS: Final[tuple[PartName, ...]] = ("train", "validation", "test")
PART_NAMES: Final[Mapping[str, PartName]] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What folders, files and words in their names call a part, in lower case."""


@dataclass(frozen=True)
class Arrays:
    """Features and labels in memory, unchecked, and the name of where from (for messages)."""

    features: NDArray[Any]
    labels: NDArray[Any]
    name: str


@dataclass(frozen=True)
class Raw:
    """Checked rows and their labels as they were stored, as many of both.

    Attributes:
        name: of where they come from, for messages.
        place: of a row.
        resize: of decoded pictures: how those of another size were fitted in.
    """

    features: StoredRows
    labels: NDArray[Any]
    name: str
    place: Place
    resize: Resize | None = None


RawParts = Mapping[PartName, Raw]
"""The parts that a source brings, with "train" always among them."""
