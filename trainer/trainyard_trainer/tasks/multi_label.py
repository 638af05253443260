"""Each row has any number of several labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import SeveralLabels
from trainyard_trainer.evaluation import multi_label as metrics_of
from trainyard_trainer.evaluation.multi_label import THRESHOLD
from trainyard_trainer.tasks.as_trained import AsTrained
from trainyard_trainer.tasks.losses import OF_LABELS
from trainyard_trainer.tasks.task import Outputs


class MultiLabel(AsTrained):
    """A probability for each label by itself, and the binary cross-entropy of all."""

    output: str = "probabilities"
    measures: tuple[str, ...] = ("accuracy", "binary_accuracy")
    main_metric: str = "f1"

    def __init__(self, labels: SeveralLabels, training: Training, trained_on: Targets) -> None:
        """Args:
        labels: of the data set.
        training: whether labels are weighed is in it.
        trained_on: 0 or 1 for each label of the training part's rows, (rows, labels).
        """
        self._labels = labels
        self._smoothing = training.labelSmoothing
        _, self._loss = OF_LABELS.named(training)
        self._weights = label_weights(trained_on) if training.classWeights == "balanced" else None

    @property
    def outputs(self) -> int:
        """How many labels there are."""
        return self._labels.outputs

    def check(self, training: Training, metrics: Sequence[str]) -> None:
        """Make sure that loss and metrics fit.

        Raises:
            InvalidSpec: one of them does not.
        """
        OF_LABELS.named(training)
        metrics_of.check(metrics)

    def head(self, last: Any, regularizer: keras.regularizers.Regularizer | None) -> Any:
        """Probabilities, float32 (batch, labels)."""
        return keras.layers.Dense(
            self.outputs,
            activation="sigmoid",
            kernel_regularizer=regularizer,
            dtype="float32",
            name=self.output,
        )(last)

    def why_no_answer(self, answers: Outputs) -> str | None:
        """A probability lies between 0 and 1."""
        if ((answers >= 0.0) & (answers <= 1.0)).all():
            return None
        return (
            f"gives numbers from {answers.min():.3g} to {answers.max():.3g}: several labels need a "
            'probability each; end the model with activation="sigmoid"'
        )

    def losses(self, targets: Any, outputs: Any) -> Any:
        """The loss of each row, a mean over labels, (rows,): binary cross-entropy by default."""
        truth = tf.cast(targets, tf.float32)
        wanted = (1.0 - self._smoothing) * truth + self._smoothing / 2.0
        if self._weights is None:
            return self._loss(wanted, outputs)
        absent, present = (tf.constant(each) for each in self._weights)
        # One place more at the end keeps the loss of each label apart.
        each = self._loss(wanted[..., tf.newaxis], outputs[..., tf.newaxis])
        return tf.reduce_mean((absent + (present - absent) * truth) * each, axis=-1)

    def measure(self, targets: Any, outputs: Any) -> tuple[Any, ...]:
        """Whether all labels of a row are right, and the share of them that are, (rows,)."""
        right = tf.cast(tf.equal(outputs >= THRESHOLD, targets > 0), tf.float32)
        return tf.reduce_min(right, axis=1), tf.reduce_mean(right, axis=1)

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """The share of rows that were right, and of their labels."""
        return dict(means)

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """Ones: labels are weighed, not rows, (rows,)."""
        return np.ones(len(targets), np.float32)

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for.

        Raises:
            InvalidSpec: one that several labels do not have.
        """
        return metrics_of.measure(metrics, targets, outputs)

    def threshold(self, outputs: Outputs) -> float | None:
        """What a probability has to reach."""
        del outputs
        return THRESHOLD


def label_weights(targets: Targets) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights of each label in the loss where it is absent and where it is present, (labels,) each.

    Rows / (2 * rows of which that holds): the balanced weights of two classes for each label by
    itself. A label that all rows have, or none, keeps the weight 1.
    """
    rows, present = len(targets), (targets > 0).sum(axis=0)
    balanced = (present > 0) & (present < rows)
    weights = [
        np.where(balanced, rows / (2.0 * np.where(balanced, count, 1)), 1.0).astype(np.float32)
        for count in (rows - present, present)
    ]
    return weights[0], weights[1]
