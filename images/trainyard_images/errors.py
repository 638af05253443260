"""What can go wrong, in words that tell the user what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class ImagesError(Exception):
    """Something failed; the message says what, and what to do."""


class CommandFailed(ImagesError):
    """A program failed.

    Args:
        title: what it was to do.
        code: its exit code.
        lines: the last lines of what it said.
    """

    def __init__(self, title: str, code: int, lines: Sequence[str]) -> None:
        self.code = code
        self.lines = tuple(lines)
        shown = "\n".join(f"  | {line}" for line in lines) or "  | (it said nothing)"
        super().__init__(f"{title} failed with exit code {code}; the end of what it said:\n{shown}")
