"""The optimizer that `spec.training` names, with its learning rate."""

from __future__ import annotations

from typing import Final

import keras

from trainyard_api.spec import Training
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.optimizers import schedules
from trainyard_trainer.training.optimizers.catalog import optimizer_class

_ARGUMENTS: Final = "spec.training.optimizer.arguments"
_ACCUMULATION: Final = "gradient_accumulation_steps"
_OVERWRITING: Final = "ema_overwrite_frequency"
_OURS: Final = (_ACCUMULATION, _OVERWRITING)
"""Arguments of Keras that the engine carries out itself: see `fit.updating`."""


def check(training: Training) -> None:
    """Make sure that optimizer and schedule have known names and arguments.

    TensorFlow's devices are not touched, so that this may run before the gang assembles.

    Raises:
        InvalidSpec: they have not.
    """
    given = training.optimizer.arguments
    made = optimizer_class(training.optimizer.name)
    check_arguments(made.__name__, made, _ARGUMENTS, given, ("learning_rate", "name"))
    for name in _OURS:
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise InvalidSpec(f"{_ARGUMENTS}.{name}: must be a whole number from 1, not {value!r}")
    if given.get(_OVERWRITING) is not None and not given.get("use_ema"):
        raise InvalidSpec(
            f"{_ARGUMENTS}.{_OVERWRITING}: is of moving averages; set use_ema: true as well"
        )
    schedules.check(training.schedule)


def check_length(training: Training, steps: int, steps_per_epoch: int) -> None:
    """Make sure that a training is long enough for its schedule and its accumulation.

    Raises:
        InvalidSpec: it is not.
    """
    if accumulated(training) > steps:
        raise InvalidSpec(
            f"{_ARGUMENTS}.{_ACCUMULATION}: is {accumulated(training)}, and the training has "
            f"{steps} steps, so that nothing would be learned; make it smaller"
        )
    schedules.check_length(training.schedule, _span(training, steps, steps_per_epoch))


def accumulated(training: Training) -> int:
    """How many steps make one update."""
    return training.optimizer.arguments.get(_ACCUMULATION) or 1


def overwritten_every(training: Training) -> int | None:
    """After how many updates the weights become their moving averages; None: at the end alone."""
    return training.optimizer.arguments.get(_OVERWRITING)


def build(training: Training, steps: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer; to be called in the strategy's scope.

    Args:
        steps: of the whole training: what most schedules go over, unless their arguments say
            otherwise. Schedules count updates, of which each may take several steps.

    Raises:
        InvalidSpec: an unknown name, or arguments that Keras refuses.
    """
    check(training)
    first = training.optimizer.learningRate
    assert first != "auto", "a sweep finds it before"
    rate = schedules.build(training.schedule, first, _span(training, steps, steps_per_epoch))
    given = training.optimizer.arguments
    try:
        made = optimizer_class(training.optimizer.name)
        optimizer = made(
            learning_rate=rate, **{name: given[name] for name in given if name not in _OURS}
        )
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error
    # Steps give it the whole gang's gradients. Keras would clip each replica's own, and sum then.
    optimizer._all_reduce_sum_gradients = list
    return optimizer


def _span(training: Training, steps: int, steps_per_epoch: int) -> schedules.Span:
    """The training, in updates."""
    every = accumulated(training)
    per_epoch = max(1, steps_per_epoch // every)
    return schedules.Span(max(per_epoch, steps // every), per_epoch)
