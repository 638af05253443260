"""The state of a training as plain data, and whether it is one of this model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.training.stopping import Patience

_NUMBER: Final = re.compile(r"_\d+(?=[/_]|$)")


@dataclass(frozen=True)
class Snapshot:
    """The state of a training.

    Attributes:
        step: steps done, over all attempts.
        closed: epochs whose end (validation, early stopping) has been dealt with.
        variables: of model and optimizer, in their order; the model's come first.
        best: the model's weights after the best epoch; empty without `restoreBest`.
        names: of the variables, as Keras has them (their paths); empty: not known.
    """

    step: int
    closed: int
    patience: Patience
    variables: Sequence[NDArray[Any]]
    best: Sequence[NDArray[Any]]
    names: Sequence[str]


def not_finite(snapshot: Snapshot) -> str:
    """The name of the first variable that has a NaN or an infinity; "" where all are finite."""
    for number, array in enumerate([*snapshot.variables, *snapshot.best]):
        if array.dtype.kind not in "biu" and not np.isfinite(array).all():
            names = [*snapshot.names, *(f"the best {name}" for name in snapshot.names)]
            return names[number] if number < len(names) else f"variable {number}"
    return ""


def difference(found: Snapshot, like: Snapshot) -> str:
    """What tells the model of a snapshot from this training's, for people; "" where nothing does.

    Args:
        found: may know no names, as older checkpoints do.
        like: of this training.
    """
    kinds = [_described(name, v) for name, v in zip(like.names, like.variables, strict=True)]
    names = found.names or like.names[: len(found.variables)]
    others = [_described(name, v) for name, v in zip(names, found.variables, strict=False)]
    if len(found.variables) != len(like.variables):
        return f"it has {len(found.variables)} variables, and this model has {len(kinds)}"
    for other, kind in zip(others, kinds, strict=True):
        if other != kind:
            return f"it has {other} where this model has {kind}"
    weights = [(v.shape, v.dtype) for v in like.variables[: len(found.best)]]
    if [(v.shape, v.dtype) for v in found.best] != weights:
        return "its best weights are not of the model's shapes"
    return ""


def _described(name: str, value: NDArray[Any]) -> str:
    """A variable without its number: Keras counts layers over all models of a process."""
    shape = ", ".join(map(str, value.shape))
    return f"{_NUMBER.sub('', name)} ({value.dtype.name} [{shape}])"
