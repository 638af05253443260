"""Keras's optimizers by name."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from trainyard_trainer.errors import InvalidSpec


def optimizer_class(name: str) -> Any:
    """The class of a name, in upper or lower case.

    Raises:
        InvalidSpec: Keras has none of that name.
    """
    known = _optimizers()
    if name.lower() not in known:
        raise InvalidSpec(
            f"spec.training.optimizer.name: {name} is no optimizer of Keras; "
            f"use one of: {', '.join(known)}"
        )
    return known[name.lower()]


def _optimizers() -> dict[str, Any]:
    """Keras's optimizers by lower-case name; those that wrap others have no rate of their own."""
    found = (getattr(keras.optimizers, name) for name in sorted(dir(keras.optimizers)))
    return {
        each.__name__.lower(): each
        for each in found
        if inspect.isclass(each)
        and issubclass(each, keras.optimizers.Optimizer)
        and each is not keras.optimizers.Optimizer
        and "learning_rate" in inspect.signature(each.__init__).parameters
    }
