"""The order of what the API server says: resourceVersions are numbers that grow."""

from __future__ import annotations

UNKNOWN = 0
"""Of a resourceVersion that is no number; its place in the order is not known."""


def number_of(resource_version: str) -> int:
    """The number that a resourceVersion is."""
    return int(resource_version) if resource_version.isdecimal() else UNKNOWN


def is_before(one: int, other: int) -> bool:
    """Whether a version is known to be older than another."""
    return UNKNOWN < one < other
