"""What comes of a conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]
"""An object of Kubernetes, as YAML gives it."""


@dataclass(frozen=True)
class Note:
    """A field of the TFJob, and what has become of it."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


@dataclass(frozen=True)
class Converted:
    """A TrainingJob that can be run, and what is to be known of it.

    Attributes:
        job: the whole document.
        notes: what was left out or means something else now, and why.
    """

    job: Block
    notes: tuple[Note, ...]


class NotConvertible(ValueError):
    """A TFJob that no TrainingJob stands for, or a file that holds none."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
