"""Events: what happened, as the operator words it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    type: str
    """Normal or Warning."""
    reason: str
    message: str

    @property
    def text(self) -> str:
        """The event in one line."""
        return f"{self.reason}: {' '.join(self.message.split())}"

    @property
    def style(self) -> str:
        """How it looks on a terminal."""
        return "yellow" if self.type == "Warning" else "dim"
