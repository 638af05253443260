"""One thing that is wrong with a job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """The field, what is wrong with it, and the cure."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"
