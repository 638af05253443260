"""How many steps one call of the graph makes.

More of them cost less overhead; fewer let the gang notice SIGTERM sooner and show progress
more often. `auto` aims at calls of half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

_CALL_SECONDS: Final = 0.5
_LONGEST: Final = 200
_KEPT: Final = 0.5
"""Share of the earlier measurements in the smoothed step time."""


@dataclass
class Pace:
    """The measured step time, and what follows from it; equal on all workers."""

    wanted: int | Literal["auto"]
    step_seconds: float | None = None
    calls: int = 0

    def steps(self, until_boundary: int) -> int:
        """Steps of the next call, at most `until_boundary`."""
        if self.wanted != "auto":
            return min(self.wanted, until_boundary)
        if self.step_seconds is None:
            # The first call builds the graph; its time says nothing.
            return min(1 if self.calls == 0 else 4, until_boundary)
        fitting = int(_CALL_SECONDS / max(self.step_seconds, 1e-6))
        return min(max(1, fitting), _LONGEST, until_boundary)

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
