"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime


def duration(seconds: float) -> str:
    """A length of time: `42 s`, `3 min 05 s`, `1 h 12 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def timestamp(text: str) -> float:
    """Seconds since the epoch of a time as status writes it."""
    return datetime.fromisoformat(text).timestamp()


def count(number: int) -> str:
    """A whole number with its thousands apart: `1,690,896`."""
    return f"{number:,}"


def share(number: float) -> str:
    """An accuracy or the like: four digits tell apart what 10,000 examples can."""
    return f"{number:.4f}"


def difference(number: float) -> str:
    """A difference of two shares; one that rounds to nothing has no sign."""
    return f"{0.0 if abs(number) < 0.00005 else number:.4f}"


def times(number: float) -> str:
    """A factor: `14.8x`."""
    return f"{number:.1f}x"


def microseconds(number: float) -> str:
    """A latency: one decimal where that still says something."""
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"
