"""What a source brings, before it is checked and divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

FIELD: Final = "spec.data.source.uri"


@dataclass(frozen=True)
class Raw:
    """Features and labels as they were stored, and the name of where from (for messages)."""

    features: NDArray[Any]
    labels: NDArray[Any]
    name: str


@dataclass(frozen=True)
class RawParts:
    """The parts that a source brings; None where it does not bring one itself."""

    train: Raw
    test: Raw | None = None
    validation: Raw | None = None
