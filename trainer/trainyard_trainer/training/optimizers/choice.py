"""The Keras optimizer that `spec.training` names."""

from __future__ import annotations

import inspect
from typing import Any, Final

import keras
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.optimizers import schedules

_FIELD: Final = "spec.training.optimizer"


_OF_ONE_REPLICA: Final = ("gradient_accumulation_steps", "ema_overwrite_frequency")
"""Arguments by which Keras decides inside a replica whether all of them update: TensorFlow's
strategies cannot build that graph."""


def check(training: Training, replicas: int = 1, steps: int | None = None) -> None:
    """Make sure that optimizer and schedule have known names and arguments.

    TensorFlow's devices are not touched, so that this may run before the gang assembles.

    Args:
        replicas: that are known to train together.
        steps: of the whole training, which no schedule may be longer than; None: not known yet.

    Raises:
        InvalidSpec: they have not, or the schedule is too long.
    """
    given = training.optimizer.arguments
    check_arguments(f"{_FIELD}.arguments", _optimizer(training), given, ("learning_rate", "name"))
    for name in _OF_ONE_REPLICA:
        if replicas > 1 and given.get(name) is not None:
            raise InvalidSpec(
                f"{_FIELD}.arguments.{name}: is not built yet for more than one worker or GPU; "
                "leave it out"
            )
    schedules.check(training, steps)


def build(training: Training, steps: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer; to be called in the strategy's scope.

    Args:
        steps: of the whole training, see `schedules.rate`.

    Raises:
        InvalidSpec: an unknown name, or arguments that Keras refuses.
    """
    check(training, tf.distribute.get_strategy().num_replicas_in_sync)
    rate = schedules.rate(training, steps, steps_per_epoch)
    try:
        optimizer = _optimizer(training)(learning_rate=rate, **training.optimizer.arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_FIELD}.arguments: {error}") from error
    # Steps give it the whole gang's gradients. Keras would clip each replica's own, and sum then.
    optimizer._all_reduce_sum_gradients = list
    return optimizer


def _optimizer(training: Training) -> Any:
    known = _optimizers()
    name = training.optimizer.name.lower()
    if name not in known:
        raise InvalidSpec(
            f"{_FIELD}.name: {training.optimizer.name} is no optimizer of Keras; "
            f"use one of: {', '.join(known)}"
        )
    return known[name]


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
