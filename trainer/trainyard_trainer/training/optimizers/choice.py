"""The Keras optimizer and learning-rate schedule that `spec.training` names."""

from __future__ import annotations

import inspect
from typing import Any, Final

import keras
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec

_FIELD: Final = "spec.training.optimizer"
_SCHEDULE: Final = "spec.training.schedule"


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
    _check_arguments(f"{_FIELD}.arguments", _optimizer(training), given, ("learning_rate", "name"))
    for name in _OF_ONE_REPLICA:
        if replicas > 1 and given.get(name) is not None:
            raise InvalidSpec(
                f"{_FIELD}.arguments.{name}: is not built yet for more than one worker or GPU; "
                "leave it out"
            )
    schedule = training.schedule
    if schedule.name == "constant" and schedule.arguments:
        raise InvalidSpec(f"{_SCHEDULE}.arguments: constant takes none; leave them out")
    if schedule.name != "constant":
        taken = ("initial_learning_rate", "name")
        _check_arguments(
            f"{_SCHEDULE}.arguments", _schedule(schedule.name), schedule.arguments, taken
        )


def build(training: Training, steps: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer; to be called in the strategy's scope.

    Args:
        steps: of the whole training: what cosine decays over, unless its arguments say
            otherwise. exponential decays by 0.9 an epoch.

    Raises:
        InvalidSpec: an unknown name, or arguments that Keras refuses.
    """
    check(training, tf.distribute.get_strategy().num_replicas_in_sync)
    rate = _learning_rate(training, steps, steps_per_epoch)
    try:
        optimizer = _optimizer(training)(learning_rate=rate, **training.optimizer.arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_FIELD}.arguments: {error}") from error
    # Steps give it the whole gang's gradients. Keras would clip each replica's own, and sum then.
    optimizer._all_reduce_sum_gradients = list
    return optimizer


def _learning_rate(training: Training, steps: int, steps_per_epoch: int) -> Any:
    first, schedule = training.optimizer.learningRate, training.schedule
    if schedule.name == "constant":
        return first
    defaults: dict[str, int | float] = (
        {"decay_steps": steps}
        if schedule.name == "cosine"
        else {"decay_steps": steps_per_epoch, "decay_rate": 0.9}
    )
    try:
        return _schedule(schedule.name)(first, **(defaults | schedule.arguments))
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{_SCHEDULE}.arguments: {error}") from error


def _schedule(name: str) -> Any:
    known = {
        "cosine": keras.optimizers.schedules.CosineDecay,
        "exponential": keras.optimizers.schedules.ExponentialDecay,
    }
    if name not in known:
        raise InvalidSpec(
            f"{_SCHEDULE}.name: {name} is not built yet; use constant, {', '.join(known)}"
        )
    return known[name]


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


def _check_arguments(
    field: str, target: Any, given: dict[str, Any], taken: tuple[str, ...]
) -> None:
    parameters = inspect.signature(target.__init__).parameters.values()
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
