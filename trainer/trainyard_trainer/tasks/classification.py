"""Each row belongs to one class of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import Classes
from trainyard_trainer.evaluation import classification as metrics_of
from trainyard_trainer.tasks.as_trained import AsTrained
from trainyard_trainer.tasks.losses import OF_CLASSES, Loss
from trainyard_trainer.tasks.task import Outputs

_SPARSE: Final = "categorical_crossentropy"
"""The loss that can be had of class numbers as they are."""


_WHOLE: Final = 0.01
"""How far probabilities may be from 1 in all: half precision is not exact."""


class Classification(AsTrained):
    """A probability for each class, and the cross-entropy of the right one."""

    output: str = "probabilities"
    measures: tuple[str, ...] = ("accuracy",)
    main_metric: str = "accuracy"

    def __init__(self, classes: Classes, training: Training, trained_on: Targets) -> None:
        """Args:
        classes: of the data set.
        training: whether classes are weighed is in it.
        trained_on: the classes of the training part's rows.
        """
        self._classes = classes
        self._smoothing = training.labelSmoothing
        self._loss: Loss | None = None
        balanced = training.classWeights == "balanced"
        self._weights = class_weights(trained_on, classes.outputs, balanced)
        name, loss = OF_CLASSES.named(training)
        if name != _SPARSE or self._smoothing:
            self._loss = loss

    @property
    def outputs(self) -> int:
        """How many classes there are."""
        return self._classes.outputs

    def check(self, training: Training, metrics: Sequence[str]) -> None:
        """Make sure that loss and metrics fit.

        Raises:
            InvalidSpec: one of them does not.
        """
        OF_CLASSES.named(training)
        metrics_of.check(metrics)

    def head(self, last: Any, regularizer: keras.regularizers.Regularizer | None) -> Any:
        """Probabilities, float32 (batch, classes)."""
        return keras.layers.Dense(
            self.outputs,
            activation="softmax",
            kernel_regularizer=regularizer,
            dtype="float32",
            name=self.output,
        )(last)

    def why_no_answer(self, answers: Outputs) -> str | None:
        """Probabilities of classes are parts of a whole."""
        sums = answers.sum(axis=1)
        if (answers >= 0.0).all() and np.allclose(sums, 1.0, atol=_WHOLE):
            return None
        return (
            f"gives for a row numbers that sum to {sums[0]:.3g}, the smallest of them "
            f"{answers.min():.3g}: a classification needs the probabilities of its classes; end "
            'the model with activation="softmax"'
        )

    def losses(self, targets: Any, outputs: Any) -> Any:
        """The loss of each row, (rows,): cross-entropy by default. Smoothed labels leave a share
        of the right class to all alike (Szegedy et al., Rethinking the Inception Architecture,
        2016).
        """
        if self._loss is None:
            return keras.losses.sparse_categorical_crossentropy(targets, outputs)
        truth = tf.one_hot(targets, self.outputs)
        even = self._smoothing / self.outputs
        return self._loss((1.0 - self._smoothing) * truth + even, outputs)

    def measure(self, targets: Any, outputs: Any) -> tuple[Any, ...]:
        """Whether the most probable class is the right one, 0 or 1, (rows,)."""
        return (tf.cast(tf.equal(tf.argmax(outputs, axis=1), targets), tf.float32),)

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """The share of rows that were right."""
        return dict(means)

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """The weight of each row's class, (rows,)."""
        return self._weights[targets]

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for, of the most probable classes.

        Raises:
            InvalidSpec: one that classification does not have.
        """
        metrics_of.check(metrics)
        plain = [name for name in metrics if name != metrics_of.ROC_AUC]
        found = metrics_of.measure(plain, targets, outputs.argmax(axis=1), self.outputs)
        if metrics_of.ROC_AUC in metrics:
            found[metrics_of.ROC_AUC] = metrics_of.roc_auc(targets, outputs)
        return {name: found[name] for name in metrics}


def class_weights(labels: Targets, classes: int, balanced: bool) -> NDArray[np.float32]:
    """Weight of each class in the loss, float32 [classes].

    Balanced: rows / (classes that occur * rows of the class), as scikit-learn has it
    (King and Zeng, Logistic Regression in Rare Events Data, 2001).
    """
    if not balanced:
        return np.ones(classes, np.float32)
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.zeros(classes, np.float32)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights
