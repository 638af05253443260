"""From one status to the next.

Fields that a later version of the operator has written are not ours to remove, though we know
nothing of them.
"""

from __future__ import annotations

from typing import Any

_NAMES = ("name", "type")
"""Fields by which items of a list are the same ones before and after."""


def carried_over(raw: Any, known: Any, new: Any) -> Any:
    """A value as it is to be, with what we do not know of it as it is.

    Args:
        raw: the value as it stands.
        known: what we have read of it.
        new: what we make of that.
    """
    if raw == known:
        return new
    if isinstance(raw, dict) and isinstance(known, dict) and isinstance(new, dict):
        unknown = {key: value for key, value in raw.items() if key not in known}
        ours = {key: carried_over(raw.get(key), known.get(key), new[key]) for key in new}
        return {**unknown, **ours}
    if isinstance(raw, list) and isinstance(known, list) and isinstance(new, list):
        raws, knowns = _by_name(raw), _by_name(known)
        return [
            carried_over(raws.get(_name(item)), knowns.get(_name(item)), item)
            if _name(item) is not None
            else item
            for item in new
        ]
    return new


def _by_name(items: list[Any]) -> dict[Any, Any]:
    return {_name(item): item for item in items if _name(item) is not None}


def _name(item: Any) -> Any:
    """By which an item of a list is known; None where nothing says so."""
    if not isinstance(item, dict):
        return None
    return next((item[name] for name in _NAMES if name in item), None)
