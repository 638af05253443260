"""Arguments that are handed to Keras as the spec has them, checked before anything is built."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from trainyard_trainer.errors import InvalidSpec


def check_arguments(
    called: str, target: Any, field: str, given: dict[str, Any], taken: Iterable[str]
) -> None:
    """Make sure that a class or a function has the arguments given, each of the right type.

    Args:
        called: its name for people.
        field: of the spec that the arguments are in.
        taken: arguments of it that are set elsewhere.

    Raises:
        InvalidSpec: one is unknown or of the wrong type.
    """
    made = target.__init__ if inspect.isclass(target) else target
    parameters = inspect.signature(made).parameters.values()
    known = {
        p.name: p.default
        for p in parameters
        if p.kind is not p.VAR_KEYWORD and p.name != "self" and p.name not in taken
    }
    for name, value in given.items():
        if name not in known:
            raise InvalidSpec(
                f"{field}: {called} has no argument {name} to set here; "
                f"use one of: {', '.join(known)}"
            )
        _check_kind(f"{field}.{name}", value, known[name])


def _check_kind(field: str, value: Any, default: Any) -> None:
    """Keras keeps many arguments as they are, and fails in the middle of a step."""
    if isinstance(default, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, str):
        fits, wanted = isinstance(value, str), "text"
    elif isinstance(default, tuple):
        fits, wanted = _is_numbers(value), "a list of numbers"
    elif default is None:
        # A number where it is given, but for lists of layers.
        fits, wanted = not isinstance(value, (bool, str)), "a number"
    else:
        fits, wanted = _is_number(value), "a number"
    if fits:
        return
    # YAML takes 1e-7 for text.
    hint = "; write the number with a point, as in 1.0e-7" if _reads_as_number(value) else ""
    raise InvalidSpec(f"{field}: should be {wanted}, not {value!r}{hint}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _reads_as_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)
