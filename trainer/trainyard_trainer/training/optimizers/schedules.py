"""The learning rate of each step, by the schedule that `spec.training` names.

It follows from the number of the step alone, so that a restart goes on with the right one; that of
reduce_on_plateau follows from what validation has measured, which a checkpoint carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

import keras

from trainyard_api.spec import Training
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.optimizers.one_cycle import OneCycle
from trainyard_trainer.training.optimizers.plateau import ReduceOnPlateau
from trainyard_trainer.training.optimizers.warm_up import WarmUp

_FIELD: Final = "spec.training.schedule"
_ARGUMENTS: Final = f"{_FIELD}.arguments"
_KERAS: Final = keras.optimizers.schedules
_KINDS: Final[Mapping[str, Any]] = {
    "cosine": _KERAS.CosineDecay,
    "cosine_restarts": _KERAS.CosineDecayRestarts,
    "exponential": _KERAS.ExponentialDecay,
    "inverse_time": _KERAS.InverseTimeDecay,
    "polynomial": _KERAS.PolynomialDecay,
    "piecewise": _KERAS.PiecewiseConstantDecay,
    "one_cycle": OneCycle,
    "reduce_on_plateau": ReduceOnPlateau,
}
_GIVEN: Final = ("initial_learning_rate", "name")
"""Arguments that other fields have."""
_WHOLE: Final = ("cosine", "polynomial", "one_cycle")
"""Schedules that end: by default with the training, and never after it."""
_LISTS: Final = ("boundaries", "values")


def check(training: Training, steps: int | None = None) -> None:
    """Make sure that the schedule can be had.

    Args:
        steps: of the whole training; None: not known yet.

    Raises:
        InvalidSpec: an argument that it has not, one that is missing, or one that reaches beyond
            the training.
    """
    name, arguments = training.schedule.name, training.schedule.arguments
    if name == "constant":
        if arguments:
            raise InvalidSpec(f"{_ARGUMENTS}: constant takes none; leave them out")
    else:
        plain = {key: value for key, value in arguments.items() if key not in _LISTS}
        check_arguments(_ARGUMENTS, _KINDS[name], plain, (*_GIVEN, *_LISTS))
        _check_lists(name, arguments)
    warm_up = training.schedule.warmupSteps
    if warm_up and name == "reduce_on_plateau":
        raise InvalidSpec(
            f"{_FIELD}.warmupSteps: reduce_on_plateau has no warm-up; leave it out, or use "
            "another schedule"
        )
    if name == "reduce_on_plateau":
        plateau_of(training)
    if steps is not None:
        _check_length(training, steps)


def _check_lists(name: str, arguments: Mapping[str, Any]) -> None:
    if name != "piecewise":
        if given := [key for key in _LISTS if key in arguments]:
            raise InvalidSpec(f"{_ARGUMENTS}.{given[0]}: is of piecewise, not of {name}")
        return
    boundaries, values = (_numbers(arguments.get(key)) for key in _LISTS)
    if boundaries is None or values is None:
        raise InvalidSpec(
            f"{_ARGUMENTS}: piecewise needs boundaries (numbers of steps) and values (rates), as "
            "in {boundaries: [1000, 2000], values: [0.1, 0.01, 0.001]}"
        )
    if len(values) != len(boundaries) + 1:
        raise InvalidSpec(
            f"{_ARGUMENTS}.values: {len(boundaries)} boundaries part {len(boundaries) + 1} values, "
            f"and there are {len(values)}"
        )
    if any(after <= before for before, after in pairwise(boundaries)):
        raise InvalidSpec(f"{_ARGUMENTS}.boundaries: must grow, and are {boundaries}")
    if min(values) < 0:
        raise InvalidSpec(f"{_ARGUMENTS}.values: must not be below 0, and are {values}")


def _numbers(values: Any) -> list[float] | None:
    """A list of numbers; None where it is none."""
    if not isinstance(values, list):
        return None
    kinds = {type(each) for each in values}
    return values if kinds <= {int, float} else None


def _check_length(training: Training, steps: int) -> None:
    """A schedule that the training ends in the middle of is not what its user thinks it is."""
    schedule = training.schedule
    reaches = {f"{_FIELD}.warmupSteps": schedule.warmupSteps}
    if schedule.name in _WHOLE and "decay_steps" in schedule.arguments:
        decay = int(schedule.arguments["decay_steps"])
        reaches[f"{_ARGUMENTS}.decay_steps"] = decay + schedule.warmupSteps
    if schedule.name == "piecewise":
        last = int(max(schedule.arguments["boundaries"], default=0))
        reaches[f"{_ARGUMENTS}.boundaries"] = last
    for field, last in reaches.items():
        if last > steps:
            raise InvalidSpec(
                f"{field}: reaches to step {last}, and the training has {steps} steps; make it "
                "shorter, or raise spec.training.epochs"
            )


def plateau_of(training: Training) -> ReduceOnPlateau | None:
    """The rule of reduce_on_plateau; None where the schedule is another.

    Raises:
        InvalidSpec: its arguments make no sense.
    """
    if training.schedule.name != "reduce_on_plateau":
        return None
    try:
        return ReduceOnPlateau(training.optimizer.learningRate, **training.schedule.arguments)
    except ValueError as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error


def rate(training: Training, steps: int, steps_per_epoch: int) -> Any:
    """The rate that an optimizer is made with: a number, or a schedule of Keras'.

    Args:
        steps: of the whole training: cosine, polynomial and one_cycle end with it, unless their
            arguments say otherwise. exponential decays by 0.9 an epoch, inverse_time by a tenth
            of the first rate's inverse; the first of cosine_restarts comes after a tenth of the
            training.

    Raises:
        InvalidSpec: arguments that Keras refuses.
    """
    first, schedule = training.optimizer.learningRate, training.schedule
    warm_up = schedule.warmupSteps
    if schedule.name in ("constant", "reduce_on_plateau"):
        return WarmUp(first, first, warm_up) if warm_up else first
    arguments = _defaults(schedule.name, max(1, steps - warm_up), steps_per_epoch)
    arguments |= schedule.arguments
    kind: Callable[..., Any] = _KINDS[schedule.name]
    try:
        found = kind(**arguments) if schedule.name == "piecewise" else kind(first, **arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error
    return WarmUp(first, found, warm_up) if warm_up else found


def _defaults(name: str, steps: int, steps_per_epoch: int) -> dict[str, Any]:
    if name in _WHOLE:
        return {"decay_steps": steps}
    if name == "cosine_restarts":
        return {"first_decay_steps": max(1, steps // 10)}
    if name in ("exponential", "inverse_time"):
        return {"decay_steps": steps_per_epoch, "decay_rate": 0.9 if name == "exponential" else 0.1}
    return {}
