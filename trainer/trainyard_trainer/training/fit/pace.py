"""How many steps one call of the graph makes.

More of them cost less overhead; fewer let the gang notice SIGTERM sooner and show progress
more often. `auto` aims at calls of half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

_CALL_SECONDS: Final = 0.5
_LONGEST: Final = 200
_FIRST: Final = 1
_UNKNOWN: Final = 4
"""Steps of a call while it is not known how long they take."""
_KEPT: Final = 0.5
"""Share of the earlier measurements in the smoothed step time."""


@dataclass
class Pace:
    """The measured step time, and what follows from it; equal on all workers.

    A call is planned while the one before runs, so it goes by what was measured before that.

    Attributes:
        most: steps of a call whatever the pace, for the sake of the memory that their rows take.
        planned: calls that were planned.
        calls: calls that were measured.
    """

    wanted: int | Literal["auto"]
    most: int = _LONGEST
    step_seconds: float | None = None
    planned: int = 0
    calls: int = 0

    def plan(self, until_boundary: int) -> int:
        """Steps of the next call, at most `until_boundary`."""
        self.planned += 1
        bound = min(until_boundary, self.most)
        if self.wanted != "auto":
            return min(self.wanted, bound)
        if self.step_seconds is None:
            # The first call builds the graph; its time says nothing.
            return min(_FIRST if self.planned == 1 else _UNKNOWN, bound)
        fitting = int(_CALL_SECONDS / max(self.step_seconds, 1e-6))
        return min(max(1, fitting), _LONGEST, bound)

    def seconds(self, steps: int) -> float | None:
        """Seconds that a call should take; None while that is not known."""
        return None if self.step_seconds is None else steps * self.step_seconds

    def measured(self, steps: int, seconds: float) -> None:
        """Take note of a call of `steps` steps, in the mean of all workers' `seconds`."""
        self.calls += 1
        if self.calls == 1:
            return
        latest = seconds / steps
        if self.step_seconds is None:
            self.step_seconds = latest
        else:
            self.step_seconds = _KEPT * self.step_seconds + (1 - _KEPT) * latest
