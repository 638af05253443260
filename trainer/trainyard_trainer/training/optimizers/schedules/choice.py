"""The schedule that `spec.training.schedule` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import keras

from trainyard_api.spec.training import Schedule
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.optimizers.schedules.one_cycle import OneCycle
from trainyard_trainer.training.optimizers.schedules.piecewise import Piecewise
from trainyard_trainer.training.optimizers.schedules.plateau import ReduceOnPlateau, Rule
from trainyard_trainer.training.optimizers.schedules.warmup import WarmUp

_FIELD: Final = "spec.training.schedule"
_ARGUMENTS: Final = f"{_FIELD}.arguments"
_PLATEAU: Final = "reduce_on_plateau"
_TAKEN: Final = (
    *("initial_learning_rate", "first", "name"),
    # Warm-up is said alike for all schedules.
    *("warmup_target", "warmup_steps"),
)


@dataclass(frozen=True)
class Span:
    """What a schedule goes over.

    Attributes:
        steps: of the whole training.
        per_epoch: steps of one epoch.
    """

    steps: int
    per_epoch: int

    @property
    def epochs(self) -> int:
        """How many there are."""
        return self.steps // self.per_epoch


@dataclass(frozen=True)
class _Kind:
    """A schedule: what makes it, and the arguments that it gets where none are given."""

    make: Any
    defaults: Callable[[Span], dict[str, float]]


_STEPWISE: Final = {
    "cosine": _Kind(
        keras.optimizers.schedules.CosineDecay, lambda span: {"decay_steps": span.steps}
    ),
    "exponential": _Kind(
        keras.optimizers.schedules.ExponentialDecay,
        lambda span: {"decay_steps": span.per_epoch, "decay_rate": 0.9},
    ),
    "piecewise": _Kind(Piecewise, lambda _: {}),
    "one_cycle": _Kind(OneCycle, lambda span: {"decay_steps": span.steps}),
    "polynomial": _Kind(
        keras.optimizers.schedules.PolynomialDecay,
        lambda span: {"decay_steps": span.steps, "end_learning_rate": 0.0},
    ),
    "inverse_time": _Kind(
        keras.optimizers.schedules.InverseTimeDecay,
        lambda span: {"decay_steps": span.per_epoch, "decay_rate": 0.5},
    ),
    "cosine_restarts": _Kind(
        keras.optimizers.schedules.CosineDecayRestarts,
        lambda span: {"first_decay_steps": span.per_epoch},
    ),
}


def check(schedule: Schedule) -> None:
    """Make sure that a schedule has known arguments.

    Raises:
        InvalidSpec: it has not.
    """
    if schedule.name == "constant":
        if schedule.arguments:
            raise InvalidSpec(f"{_ARGUMENTS}: constant takes none; leave them out")
        return
    target = Rule if schedule.name == _PLATEAU else _STEPWISE[schedule.name].make
    check_arguments(schedule.name, target, _ARGUMENTS, schedule.arguments, _TAKEN)
    for name in ("decay_steps", "first_decay_steps"):
        if schedule.arguments.get(name, 1) < 1:
            raise InvalidSpec(f"{_ARGUMENTS}.{name}: must be at least 1")


def check_length(schedule: Schedule, span: Span) -> None:
    """Make sure that a training is long enough for its schedule, and that its arguments fit.

    Raises:
        InvalidSpec: a part of the schedule would never be reached.
    """
    check(schedule)
    warm, arguments = schedule.warmupSteps, schedule.arguments
    has = f"the training has {span.steps} steps ({span.epochs} epochs of {span.per_epoch})"
    if warm >= span.steps:
        raise InvalidSpec(f"{_FIELD}.warmupSteps: is {warm}, and {has}; make it smaller")
    for name in ("decay_steps", "first_decay_steps"):
        if warm + arguments.get(name, 0) > span.steps:
            raise InvalidSpec(
                f"{_ARGUMENTS}.{name}: is {arguments[name]} after {warm} of warm-up, and {has}; "
                "make it smaller, or train for more epochs"
            )
    last = max(arguments.get("boundaries", ()), default=0)
    if warm + last >= span.steps:
        raise InvalidSpec(
            f"{_ARGUMENTS}.boundaries: the last is step {last} after {warm} of warm-up, and {has}; "
            "make it smaller, or train for more epochs"
        )
    if schedule.name != _PLATEAU:
        _stepwise(schedule, 1.0, span)
    # The first epoch has nothing to be compared with, and after the last there is no rate.
    elif (patience := _rule(schedule, 1.0).patience) + 2 > span.epochs:
        raise InvalidSpec(
            f"{_ARGUMENTS}.patience: is {patience} epochs, and {has}, so that the rate would never "
            f"be reduced; make it smaller, or train for at least {patience + 2} epochs"
        )


def build(schedule: Schedule, first: float, span: Span) -> Any:
    """The schedule, or a number where the rate is constant; in the strategy's scope.

    Args:
        first: the learning rate that the spec names.

    Raises:
        InvalidSpec: its arguments do not fit each other.
    """
    if schedule.name == _PLATEAU:
        made: Any = ReduceOnPlateau(_rule(schedule, first))
    else:
        made = _stepwise(schedule, first, span)
    return WarmUp(made, schedule.warmupSteps) if schedule.warmupSteps else made


def plateau_of(optimizer: keras.optimizers.Optimizer) -> ReduceOnPlateau | None:
    """The optimizer's schedule where it follows from what is measured."""
    rate = optimizer._learning_rate
    found = rate.after if isinstance(rate, WarmUp) else rate
    return found if isinstance(found, ReduceOnPlateau) else None


def monitored(schedule: Schedule) -> str | None:
    """The measure that a schedule needs; None: it needs none.

    Raises:
        InvalidSpec: its arguments do not fit.
    """
    return _rule(schedule, 1.0).monitor if schedule.name == _PLATEAU else None


def _stepwise(schedule: Schedule, first: float, span: Span) -> Any:
    if schedule.name == "constant":
        return first
    kind = _STEPWISE[schedule.name]
    left = Span(max(1, span.steps - schedule.warmupSteps), span.per_epoch)
    try:
        return kind.make(first, **(kind.defaults(left) | schedule.arguments))
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error


def _rule(schedule: Schedule, first: float) -> Rule:
    check(schedule)
    try:
        return Rule(first, **schedule.arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error
