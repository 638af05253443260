"""The optimizer that `spec.training` names, with its learning rate."""

from __future__ import annotations

from typing import Final

import keras
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.optimizers import schedules
from trainyard_trainer.training.optimizers.catalog import optimizer_class

_ARGUMENTS: Final = "spec.training.optimizer.arguments"
_OF_ONE_REPLICA: Final = ("gradient_accumulation_steps", "ema_overwrite_frequency")
"""Arguments by which Keras decides inside a replica whether all of them update: TensorFlow's
strategies cannot build that graph."""


def check(training: Training, replicas: int = 1) -> None:
    """Make sure that optimizer and schedule have known names and arguments.

    TensorFlow's devices are not touched, so that this may run before the gang assembles.

    Args:
        replicas: that are known to train together.

    Raises:
        InvalidSpec: they have not.
    """
    given = training.optimizer.arguments
    made = optimizer_class(training.optimizer.name)
    check_arguments(made.__name__, made, _ARGUMENTS, given, ("learning_rate", "name"))
    for name in _OF_ONE_REPLICA:
        if replicas > 1 and given.get(name) is not None:
            raise InvalidSpec(
                f"{_ARGUMENTS}.{name}: is not built yet for more than one worker or GPU; "
                "leave it out"
            )
    schedules.check(training.schedule)


def build(training: Training, steps: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer; to be called in the strategy's scope.

    Args:
        steps: of the whole training: what most schedules go over, unless their arguments say
            otherwise.

    Raises:
        InvalidSpec: an unknown name, or arguments that Keras refuses.
    """
    check(training, tf.distribute.get_strategy().num_replicas_in_sync)
    first = training.optimizer.learningRate
    rate = schedules.build(training.schedule, first, schedules.Span(steps, steps_per_epoch))
    try:
        made = optimizer_class(training.optimizer.name)
        optimizer = made(learning_rate=rate, **training.optimizer.arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_ARGUMENTS}: {error}") from error
    # Steps give it the whole gang's gradients. Keras would clip each replica's own, and sum then.
    optimizer._all_reduce_sum_gradients = list
    return optimizer
