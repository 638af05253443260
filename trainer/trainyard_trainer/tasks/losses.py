"""The losses that `spec.training.loss` can name, by Keras' names.

Each gives a number for every row, so that weights, gangs and mixed rows mean the same in all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import keras

from trainyard_api.spec import Training
from trainyard_trainer.arguments import check_arguments
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks.own_loss import own_loss

Loss = Callable[[Any, Any], Any]
"""Of targets and answers, (rows, outputs) each: the loss of each row, (rows,)."""

_FIELD: Final = "spec.training.loss"
_OURS: Final = ("y_true", "y_pred", "axis", "from_logits", "label_smoothing")
"""Arguments that follow from the task, or that other fields have."""
_NOT_NEGATIVE: Final = ("delta", "gamma")
_SHORT: Final = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "sparsecategoricalcrossentropy": "categorical_crossentropy",
    "logcosh": "log_cosh",
}


@dataclass(frozen=True)
class Losses:
    """What fits a kind of task.

    Attributes:
        task: how people call it.
        functions: of Keras, by name; the first is the default.
        smooths: those that smoothed labels mean something to.
        weighs_labels: whether class weights are of labels, inside of the loss, and not of rows.
    """

    task: str
    functions: Mapping[str, Loss]
    smooths: tuple[str, ...]
    weighs_labels: bool = False

    def named(self, training: Training) -> tuple[str, Loss]:
        """The loss that the spec names, and its name as Keras has it.

        Raises:
            InvalidSpec: it does not fit, or has no such arguments.
        """
        if (own := own_loss(training)) is not None:
            self._check_own(training)
            return str(training.loss), own
        name = self._name(training.loss)
        function = self.functions[name]
        given = training.lossArguments
        check_arguments(name, function, f"{_FIELD}Arguments", given, _OURS)
        for argument in _NOT_NEGATIVE:
            if given.get(argument, 0) < 0:
                raise InvalidSpec(
                    f"{_FIELD}Arguments.{argument}: must not be below 0, and is {given[argument]}"
                )
        if training.labelSmoothing and not self.smooths:
            raise InvalidSpec(
                f"spec.training.labelSmoothing: is of labels, and this is {self.task}; leave it out"
            )
        if training.labelSmoothing and name not in self.smooths:
            raise InvalidSpec(
                f"spec.training.labelSmoothing: means nothing to {name}; leave it out, or use one "
                f"of: {', '.join(self.smooths)}"
            )
        return name, partial(function, **given) if given else function

    def _check_own(self, training: Training) -> None:
        """What a loss of the author's own would have to do itself."""
        for field, asked in (
            ("labelSmoothing", bool(training.labelSmoothing)),
            ("classWeights", training.classWeights != "none" and self.weighs_labels),
        ):
            if asked:
                raise InvalidSpec(
                    f"spec.training.{field}: does not fit a loss of your own ({training.loss}); "
                    "let the loss do it, and leave the field out"
                )

    def _name(self, wanted: str | None) -> str:
        if wanted is None:
            return next(iter(self.functions))
        plain = _plain(wanted)
        known = {_plain(name): name for name in self.functions}
        found = known.get(_plain(_SHORT.get(plain, plain)))
        if found is None:
            raise InvalidSpec(
                f"{_FIELD}: {wanted} does not fit {self.task}; use one of: "
                + ", ".join(self.functions)
                + ', or "package.module:function" of your own'
            )
        return found


def _plain(name: str) -> str:
    """`MeanSquaredError` and `mean_squared_error` are one."""
    return name.replace("_", "").lower()


OF_CLASSES: Final = Losses(
    "classification",
    {
        "categorical_crossentropy": keras.losses.categorical_crossentropy,
        "categorical_focal_crossentropy": keras.losses.categorical_focal_crossentropy,
        "categorical_hinge": keras.losses.categorical_hinge,
        "kl_divergence": keras.losses.kl_divergence,
        "mean_squared_error": keras.losses.mean_squared_error,
    },
    smooths=("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence"),
)
OF_LABELS: Final = Losses(
    "several labels",
    {
        "binary_crossentropy": keras.losses.binary_crossentropy,
        "binary_focal_crossentropy": keras.losses.binary_focal_crossentropy,
        "mean_squared_error": keras.losses.mean_squared_error,
    },
    smooths=("binary_crossentropy", "binary_focal_crossentropy"),
    weighs_labels=True,
)
OF_NUMBERS: Final = Losses(
    "regression",
    {
        "mean_squared_error": keras.losses.mean_squared_error,
        "mean_absolute_error": keras.losses.mean_absolute_error,
        "huber": keras.losses.huber,
        "log_cosh": keras.losses.log_cosh,
        "mean_absolute_percentage_error": keras.losses.mean_absolute_percentage_error,
        "mean_squared_logarithmic_error": keras.losses.mean_squared_logarithmic_error,
    },
    smooths=(),
)
IN_UNITS: Final = ("mean_absolute_percentage_error", "mean_squared_logarithmic_error")
"""Losses of numbers in the data's own unit: they are ratios, and a shift would change them."""
