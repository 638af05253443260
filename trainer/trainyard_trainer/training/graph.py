"""What runs inside TensorFlow's graph: many training steps a call, and measuring.

The loop over steps is in the graph, outside `strategy.run`, because optimizers under a
strategy have to leave the replica's context to apply gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_trainer.data import Part
from trainyard_trainer.training.batches import Matrix, arrange
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.randomness import Randomness

_ROWS_OF_A_REPLICA: Final = 512
"""Rows that a replica measures at once."""

_ROWS = tf.TensorSpec((None, None), tf.int32)
_WEIGHTS = tf.TensorSpec((None, None), tf.float32)


@dataclass(frozen=True)
class Sums:
    """What was summed over examples, on all workers."""

    loss: float
    correct: float
    weight: float

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.loss + other.loss, self.correct + other.correct, self.weight + other.weight
        )

    @property
    def mean_loss(self) -> float:
        """Cross-entropy of an example, without penalties on the weights."""
        return self.loss / max(self.weight, 1.0)

    @property
    def accuracy(self) -> float:
        """Share of examples whose most probable class is right."""
        return self.correct / max(self.weight, 1.0)


@dataclass(frozen=True)
class Call:
    """What the workers agree on after a call.

    Attributes:
        stops: how many workers were asked to stop before it.
        seconds: mean of the times that the workers brought.
    """

    sums: Sums
    stops: int
    seconds: float


class _Rows:
    """A part of the data in this worker's memory, and the columns that each replica takes."""

    def __init__(self, part: Part, replicas: int) -> None:
        # On the host: batches are copied to a GPU, not the whole data set.
        with tf.device("/cpu:0"):
            self._features = tf.constant(part.features)
            self._labels = tf.constant(part.labels)
        self._replicas = replicas

    def take(self, rows: tf.Tensor, weights: tf.Tensor) -> tuple[Any, Any, Any]:
        """Inside a replica: its features (float32), labels and weights of a batch."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        width = tf.shape(rows)[0] // self._replicas
        mine = tf.range(replica * width, (replica + 1) * width)
        with tf.device("/cpu:0"):
            numbers = tf.gather(rows, mine)
            features = tf.gather(self._features, numbers)
            labels = tf.gather(self._labels, numbers)
        return tf.cast(features, tf.float32), labels, tf.gather(weights, mine)


class Trainer:
    """Training steps over one part of the data."""

    def __init__(
        self,
        gang: Gang,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        part: Part,
        class_weights: NDArray[np.float32],
        seed: int,
    ) -> None:
        self._gang = gang
        self._model = model
        self._optimizer = optimizer
        self._data = _Rows(part, gang.replicas)
        self._class_weights = tf.constant(class_weights)
        self._randomness = Randomness(model, seed)
        self._run = tf.function(
            self._steps,
            input_signature=[
                _ROWS,
                _WEIGHTS,
                tf.TensorSpec((), tf.int64),
                tf.TensorSpec((2,), tf.float64),
            ],
        )

    def run(self, batches: Matrix, first_step: int, stop: bool, seconds: float) -> Call:
        """Train one step for each batch.

        Args:
            first_step: number of the first one, from 0, over the whole training.
            stop: whether this worker was asked to stop.
            seconds: what this worker measured of the call before.
        """
        brought = tf.constant([float(stop), seconds], tf.float64)
        step = tf.constant(first_step, tf.int64)
        agreed = self._run(batches.rows, batches.weights, step, brought)
        loss, correct, weight, stops, total = agreed.numpy().tolist()
        return Call(Sums(loss, correct, weight), round(stops), total / self._gang.workers)

    def _steps(self, rows: Any, weights: Any, first: Any, brought: Any) -> Any:
        strategy = self._gang.strategy
        sums = tf.zeros((3,), tf.float64)
        for index in tf.range(tf.shape(rows)[0]):
            step = first + tf.cast(index, tf.int64)
            each = strategy.run(self._step, args=(rows[index], weights[index], step))
            sums += tf.add_n(strategy.experimental_local_results(each))
        return self._gang.sum_over_replicas(tf.concat([sums, brought], axis=0))

    def _step(self, rows: Any, weights: Any, step: Any) -> Any:
        features, labels, mine = self._data.take(rows, weights)
        self._randomness.set(step)
        scales = mine * tf.gather(self._class_weights, labels)
        with tf.GradientTape() as tape:
            probabilities = self._model(features, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
            summed = tf.reduce_sum(scales * losses)
            # Gradients are summed over the replicas: each gives its share of the mean over the
            # whole batch, and its share of the penalties, which all have alike.
            objective = summed / tf.reduce_sum(weights)
            if self._model.losses:
                objective += tf.add_n(self._model.losses) / self._gang.replicas
            # Optimizers divide the gradients by their loss_scale_factor, where they have one.
            objective = self._optimizer.scale_loss(objective)
        gradients = tape.gradient(objective, self._model.trainable_variables)
        self._optimizer.apply_gradients(
            zip(gradients, self._model.trainable_variables, strict=True)
        )
        return _sums(summed, labels, probabilities, mine)


class Measurer:
    """Loss and predictions over one part of the data, without learning from it."""

    def __init__(self, gang: Gang, model: keras.Model, part: Part) -> None:
        self._gang = gang
        self._model = model
        self._data = _Rows(part, gang.replicas)
        self._count = len(part)
        batch = min(len(part), _ROWS_OF_A_REPLICA * gang.replicas)
        self._batches = arrange(np.arange(len(part)), batch, gang.replicas)
        signature = [_ROWS, _WEIGHTS]
        self._measure = tf.function(self._sum, input_signature=signature)
        self._predict = tf.function(self._gather, input_signature=signature)

    def measure(self) -> Sums:
        """Loss and accuracy over all rows."""
        sums = self._measure(self._batches.rows, self._batches.weights)
        loss, correct, weight = sums.numpy().tolist()
        return Sums(loss, correct, weight)

    def predict(self) -> NDArray[np.int64]:
        """The most probable class of each row, int64 [rows]."""
        classes = self._predict(self._batches.rows, self._batches.weights).numpy()
        real = self._batches.weights > 0
        return np.asarray(classes[real][: self._count]).astype(np.int64)

    def _sum(self, rows: Any, weights: Any) -> Any:
        strategy = self._gang.strategy
        sums = tf.zeros((3,), tf.float64)
        for index in tf.range(tf.shape(rows)[0]):
            each = strategy.run(self._measure_batch, args=(rows[index], weights[index]))
            sums += tf.add_n(strategy.experimental_local_results(each))
        return self._gang.sum_over_replicas(sums)

    def _measure_batch(self, rows: Any, weights: Any) -> Any:
        features, labels, mine = self._data.take(rows, weights)
        probabilities = self._model(features, training=False)
        losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        return _sums(tf.reduce_sum(mine * losses), labels, probabilities, mine)

    def _gather(self, rows: Any, weights: Any) -> Any:
        strategy = self._gang.strategy
        steps = tf.shape(rows)[0]
        classes = tf.TensorArray(tf.float32, steps)
        for index in tf.range(steps):
            each = strategy.run(self._predict_batch, args=(rows[index], weights[index]))
            local = tf.add_n(strategy.experimental_local_results(each))
            classes = classes.write(index, local)
        return self._gang.sum_over_replicas(classes.stack())

    def _predict_batch(self, rows: Any, weights: Any) -> Any:
        """This replica's classes in its own columns, zeros in the others: [width]."""
        features, _, mine = self._data.take(rows, weights)
        probabilities = self._model(features, training=False)
        classes = tf.cast(tf.argmax(probabilities, axis=1), tf.float32)
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        before = replica * tf.shape(mine)[0]
        return tf.pad(classes, [[before, tf.shape(rows)[0] - tf.shape(mine)[0] - before]])


def _sums(loss: Any, labels: Any, probabilities: Any, weights: Any) -> Any:
    right = tf.cast(tf.equal(tf.argmax(probabilities, axis=1), labels), tf.float32)
    summed = [loss, tf.reduce_sum(weights * right), tf.reduce_sum(weights)]
    return tf.cast(tf.stack(summed), tf.float64)
