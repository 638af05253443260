"""What the way to the API server does to what passes: one weather at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Weather:
    """Shares are from 0 to 1, and of requests unless said otherwise."""

    refused: float = 0.0
    """Answered by 500, 502, 503 or 504 in the API server's place."""
    throttled: float = 0.0
    """Answered by 429, with Retry-After."""
    conflicts: float = 0.0
    """Of writes: answered by 409."""
    expired: float = 0.0
    """Of watches that begin, and of events of watches: answered by 410, or ended by it."""
    cut: float = 0.0
    """Of events of watches: the connection breaks in the middle of the line."""
    lost: float = 0.0
    """Of writes: carried out, and the connection breaks before the answer."""
    repeated: float = 0.0
    """Of events of watches: an old event of an object that is there comes once more after it."""
    delay: float = 0.0
    """Seconds at most that a request, or an event of a watch, is held up."""
    hangs: bool = False
    """Nothing passes, and nothing is refused."""


CALM: Final = Weather()

WEATHERS: Final[dict[str, Weather]] = {
    "storm": Weather(refused=0.9),
    "throttled": Weather(throttled=0.6),
    "conflicts": Weather(conflicts=0.5),
    "expired": Weather(expired=0.3),
    "cuts": Weather(cut=0.3),
    "lost answers": Weather(lost=0.5),
    "repeated": Weather(repeated=0.5, delay=0.3),
    "slow": Weather(delay=2.0),
    "mixed": Weather(
        refused=0.1,
        throttled=0.1,
        conflicts=0.1,
        expired=0.1,
        cut=0.1,
        lost=0.15,
        repeated=0.1,
        delay=0.2,
    ),
    "partition": replace(CALM, hangs=True),
}
