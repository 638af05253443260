"""Arguments of Keras' classes, checked before anything is made of them."""

from __future__ import annotations

import inspect
from typing import Any

from trainyard_trainer.errors import InvalidSpec


def check_arguments(field: str, target: Any, given: dict[str, Any], taken: tuple[str, ...]) -> None:
    """Make sure that `target` has the arguments that are given, and takes values of their kind.

    Args:
        target: a class or a function of Keras, or one like it.
        taken: arguments that are given otherwise.

    Raises:
        InvalidSpec: it has not, or does not.
    """
    called = target.__init__ if inspect.isclass(target) else target
    parameters = inspect.signature(called).parameters.values()
    known = {
        p.name: p.default
        for p in parameters
        if p.kind is not p.VAR_KEYWORD and p.name != "self" and p.name not in taken
    }
    for name, value in given.items():
        if name not in known:
            raise InvalidSpec(
                f"{field}: {target.__name__} has no argument {name} to set here; "
                f"use one of: {', '.join(known)}"
            )
        _check_kind(f"{field}.{name}", value, known[name])


def _check_kind(field: str, value: Any, default: Any) -> None:
    """Keras keeps many arguments as they are, and fails in the middle of a step."""
    if isinstance(default, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif default is None:
        # A number where it is given, but for lists of layers.
        fits, wanted = not isinstance(value, (bool, str)), "a number"
    else:
        fits, wanted = isinstance(value, (int, float)) and not isinstance(value, bool), "a number"
    if fits:
        return
    # YAML takes 1e-7 for text.
    hint = "; write the number with a point, as in 1.0e-7" if _is_number(value) else ""
    raise InvalidSpec(f"{field}: should be {wanted}, not {value!r}{hint}")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)
