"""A loss of the author's own."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.own_code import EntryPoint, is_entry_point, within_reason

_FIELD: Final = "spec.training.loss"
_ROWS: Final = 3


class OwnLoss:
    """A function of targets and answers, or a class of Keras' losses.

    It is found when it is called first: by then the gang has assembled, which TensorFlow wants
    before anything else is done with it.
    """

    def __init__(self, training: Training) -> None:
        """Args:
        training: names it, and has its arguments.
        """
        self._entry = EntryPoint(_FIELD, str(training.loss), f"{_FIELD}Arguments")
        self._arguments = training.lossArguments
        self._function: Any = None

    def __call__(self, targets: Any, outputs: Any) -> Any:
        """The loss of each row, (rows,)."""
        if self._function is None:
            self._function = self._found()
        losses = self._function(targets, outputs)
        if len(losses.shape) != 1:
            raise InvalidSpec(
                f"{_FIELD}: {self._entry.name} gives numbers of shape {tuple(losses.shape)} for "
                f"{tuple(targets.shape)} targets, and not one for each row; reduce the last axis "
                "alone: keras.ops.mean(..., axis=-1)"
            )
        return losses

    def try_it(self, outputs: int) -> None:
        """Call it once.

        Args:
            outputs: how many numbers a row's answer has.

        Raises:
            InvalidSpec: it raises, or gives something else than a number for each row.
        """
        targets = np.eye(outputs, dtype=np.float32)[np.arange(_ROWS) % outputs]
        answers = np.full((_ROWS, outputs), 1.0 / outputs, np.float32)

        def once() -> Any:
            return self(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(answers))

        with within_reason(f"{_FIELD}: {self._entry.name}"):
            losses = np.asarray(self._entry.guarded(once))
        if losses.shape != (_ROWS,) or not np.isfinite(losses).all():
            raise InvalidSpec(
                f"{_FIELD}: {self._entry.name} gives {losses.tolist()} for {_ROWS} rows, and not a "
                "finite number for each"
            )

    @tf.autograph.experimental.do_not_convert
    def _found(self) -> Any:
        found: Any = self._entry.load()
        if isinstance(found, type):
            made = self._entry.call(self._arguments)
            if not isinstance(made, keras.losses.Loss):
                raise InvalidSpec(
                    f"{_FIELD}: {self._entry.name} is a class, and no keras.losses.Loss"
                )
            # Not made one number: rows are weighed, and summed over all workers.
            return made.call
        if not self._arguments:
            return found
        given = self._arguments
        return lambda targets, outputs: found(targets, outputs, **given)


def own_loss(training: Training) -> OwnLoss | None:
    """The loss that the spec names, where it is the author's own."""
    return OwnLoss(training) if is_entry_point(training.loss) else None


def check_own_loss(training: Training, outputs: int) -> None:
    """Try the loss that the spec names, where it is the author's own.

    Raises:
        InvalidSpec: see `OwnLoss.try_it`.
    """
    if (loss := own_loss(training)) is not None:
        loss.try_it(outputs)
