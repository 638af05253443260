"""Each row has one number, or several, to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import Quantities
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.evaluation import regression as metrics_of
from trainyard_trainer.tasks.as_trained import AsTrained
from trainyard_trainer.tasks.losses import IN_UNITS, OF_NUMBERS
from trainyard_trainer.tasks.task import Outputs


class Regression(AsTrained):
    """Numbers in the data's own units.

    The loss is taken of targets with zero mean and unit variance, so that neither the learning
    rate nor the weight of several outputs depends on the unit. The model's last layer brings its
    answers back into that unit.
    """

    output: str = "predictions"
    measures: tuple[str, ...] = ("mae", "squared_error")
    main_metric: str = "r2"

    def __init__(self, quantities: Quantities, training: Training, trained_on: Targets) -> None:
        """Args:
        quantities: what is told of each row.
        training: the loss is in it.
        trained_on: the numbers of the training part's rows, (rows, outputs).
        """
        self._quantities = quantities
        name, self._loss = OF_NUMBERS.named(training)
        self._in_units = name in IN_UNITS
        wide = trained_on.astype(np.float64)
        spread = wide.std(axis=0)
        self._mean = wide.mean(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)

    @property
    def outputs(self) -> int:
        """How many numbers each row has."""
        return self._quantities.outputs

    def check(self, training: Training, metrics: Sequence[str]) -> None:
        """Make sure that loss, class weights and metrics fit.

        Raises:
            InvalidSpec: one of them does not.
        """
        OF_NUMBERS.named(training)
        if training.classWeights != "none":
            raise InvalidSpec(
                f"spec.training.classWeights: {training.classWeights} needs classes, and this is a "
                "regression; leave it out"
            )
        metrics_of.check(metrics)

    def head(self, last: Any, regularizer: keras.regularizers.Regularizer | None) -> Any:
        """Numbers in the data's unit, float32 (batch, outputs)."""
        standardized = keras.layers.Dense(
            self.outputs, kernel_regularizer=regularizer, dtype="float32", name="standardized"
        )(last)
        return self.finish(standardized)

    def finish(self, answer: Any) -> Any:
        """Numbers in the data's unit, of such with zero mean and unit variance."""
        return keras.layers.Rescaling(
            self._spread.tolist(), self._mean.tolist(), dtype="float32", name=self.output
        )(answer)

    def why_no_answer(self, answers: Outputs) -> str | None:
        """None: any number may be one."""
        del answers
        return None

    def losses(self, targets: Any, outputs: Any) -> Any:
        """The loss of each row, in units of the training part's standard deviation, (rows,)."""
        if self._in_units:
            return self._loss(targets, outputs)
        return self._loss(self._standardized(targets), self._standardized(outputs))

    def measure(self, targets: Any, outputs: Any) -> tuple[Any, ...]:
        """Absolute and squared error of each row, in the data's unit, means over outputs."""
        errors = outputs - targets
        return (
            tf.reduce_mean(tf.abs(errors), axis=1),
            tf.reduce_mean(tf.square(errors), axis=1),
        )

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """Mean absolute error and root mean squared error, in the data's unit."""
        return {"mae": means["mae"], "rmse": float(np.sqrt(means["squared_error"]))}

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """Ones: all rows count alike, (rows,)."""
        return np.ones(len(targets), np.float32)

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for.

        Raises:
            InvalidSpec: one that regression does not have.
        """
        return metrics_of.measure(metrics, targets, outputs)

    def _standardized(self, values: Any) -> Any:
        mean, spread = (tf.constant(v, tf.float32) for v in (self._mean, self._spread))
        return (values - mean) / spread
