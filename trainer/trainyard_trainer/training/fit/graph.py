"""What runs inside TensorFlow's graph: many training steps a call, and measuring.

The loop over steps is in the graph, outside `strategy.run`, because optimizers under a
strategy have to leave the replica's context to apply gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.data.rows import Part
from trainyard_trainer.training.fit.batches import Matrix, arrange
from trainyard_trainer.training.fit.feed import Fed, Feed
from trainyard_trainer.training.fit.footprint import rows_at_once
from trainyard_trainer.training.fit.randomness import Randomness, is_seed
from trainyard_trainer.training.fit.sums import Sums
from trainyard_trainer.training.fit.updating import Updating
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Computed, Objective, compute_mixed

_BROUGHT: Final = 2
"""Numbers that each worker brings to a call: whether it was asked to stop, and its last time."""


@dataclass(frozen=True)
class Call:
    """What the workers agree on after a call.

    Attributes:
        stops: how many workers were asked to stop before it.
        seconds: mean of the times that the workers brought.
        sound: whether all that was learned is finite numbers, after the call's last step.
    """

    sums: Sums
    stops: int
    seconds: float
    sound: bool


class Trainer:
    """Training steps."""

    def __init__(
        self,
        gang: Gang,
        model: keras.Model,
        updating: Updating,
        objective: Objective,
        feed: Feed,
        seed: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        """Args:
        seed: of dropout and augmentation.
        augmentation: None: rows are learned as they are.
        """
        self._gang = gang
        self._model = model
        self._updating = updating
        self._objective = objective
        self._randomness = Randomness(model, seed)
        self._augmentation = augmentation
        self._counted_by_each = [
            variable
            for variable in model.non_trainable_variables
            if not is_seed(variable) and variable.dtype == "float32"
        ]
        scalars = [tf.TensorSpec((), tf.int64), tf.TensorSpec((_BROUGHT,), tf.float64)]
        signature = [*feed.signature(), *scalars]
        one_step = self._gradients if updating.pace.decides else self._step
        compiled = partial(self._steps, tf.function(one_step, jit_compile=True))
        self._plain = tf.function(partial(self._steps, one_step), input_signature=signature)
        self._compiled = tf.function(compiled, input_signature=signature)

    @property
    def draws(self) -> bool:
        """Whether steps draw random numbers. XLA draws others from the same seed."""
        return self._augmentation is not None or self._randomness.is_drawn

    def run(
        self, fed: Fed, first_step: int, stop: bool, seconds: float, *, compiled: bool = False
    ) -> Call:
        """Train one step for each batch.

        Args:
            first_step: number of the first one, from 0, over the whole training.
            stop: whether this worker was asked to stop.
            seconds: what this worker measured of the call before.
            compiled: whether XLA compiles the step; only where there is one replica.

        Raises:
            tf.errors.InvalidArgumentError, tf.errors.UnimplementedError: XLA cannot; no step was
                made.
        """
        brought = tf.constant([float(stop), seconds], tf.float64)
        step = tf.constant(first_step, tf.int64)
        run = self._compiled if compiled else self._plain
        agreed = run(*fed.tensors(), step, brought).numpy().tolist()
        *summed, stops, total, unsound = agreed
        return Call(
            sums=Sums.of(self._objective.measures, summed),
            stops=round(stops),
            seconds=total / self._gang.workers,
            sound=unsound == 0.0,
        )

    def _steps(self, one_step: Callable[..., Any], *given: Any) -> Any:
        """Args:
        one_step: `_step` or `_gradients`, as it is or compiled.
        given: what a call is fed, the number of its first step, and what this worker brings.
        """
        *fed, first, brought = given
        rows = fed[-1]
        strategy = self._gang.strategy
        sums = tf.zeros((2 + len(self._objective.measures),), tf.float64)
        for index in tf.range(tf.shape(rows)[0]):
            own = (each[index] for each in fed)
            each = strategy.run(one_step, args=(*own, first + tf.cast(index, tf.int64)))
            if self._updating.pace.decides:
                each, gradients = each
                self._updating.decide(strategy, gradients)
            sums += tf.add_n(strategy.experimental_local_results(each))
        self._gang.average(self._counted_by_each)
        return self._gang.sum_over_replicas(tf.concat([sums, brought, [self._unsound()]], axis=0))

    def _unsound(self) -> Any:
        """How many variables of model and optimizer hold a number that is not finite."""
        learned = [
            variable.value
            for variable in [*self._model.variables, *self._updating.optimizer.variables]
            if variable.dtype.startswith(("float", "bfloat"))
        ]
        wrong = [tf.logical_not(tf.reduce_all(tf.math.is_finite(value))) for value in learned]
        return tf.reduce_sum(tf.cast(tf.stack(wrong), tf.float64))

    def _step(self, *fed: Any) -> Any:
        """Inside a replica: a step with its update."""
        sums, gradients = self._gradients(*fed)
        self._updating.apply(gradients)
        return sums

    def _gradients(
        self, features: Any, targets: Any, counted: Any, weights: Any, rows: Any, step: Any
    ) -> tuple[Any, list[Any]]:
        """Inside a replica: what it counts, and the gradients' sums over all replicas."""
        features, targets, counted, weights = (
            self._gang.own_columns(each) for each in (features, targets, counted, weights)
        )
        self._randomness.set(step)
        with tf.GradientTape() as tape:
            computed = self._compute(tf.cast(features, tf.float32), targets, weights, step)
            summed = tf.reduce_sum(computed.losses)
            # Gradients are summed over the replicas: each gives its share of the mean over the
            # whole batch, and its share of the penalties, which all have alike.
            loss = summed / rows
            if self._model.losses:
                loss += tf.add_n(self._model.losses) / self._gang.replicas
            loss = self._updating.scaled(loss)
        variables = self._model.trainable_variables
        gradients = self._gang.sum_gradients(tape.gradient(loss, variables))
        return _sums(summed, counted, computed.measures), gradients

    def _compute(self, features: Any, targets: Any, weights: Any, step: Any) -> Computed:
        """What the objective makes of the rows; losses are weighed."""
        if self._augmentation is None:
            computed = self._objective.compute(self._model, features, targets, training=True)
            return Computed(weights * computed.losses, computed.measures)
        mixture = self._augmentation.apply(features, weights, self._randomness.seed(step))
        return compute_mixed(self._objective, self._model, mixture, targets)


class Measurer:
    """Losses and answers over one part of the data, without learning from it."""

    def __init__(self, gang: Gang, model: keras.Model, objective: Objective, part: Part) -> None:
        self._gang = gang
        self._model = model
        self._objective = objective
        self._count = len(part)
        self._feed = Feed(gang, part, objective.row_weights)
        self._batch = min(len(part), rows_at_once(model) * gang.replicas)
        signature = self._feed.signature()
        self._measure = tf.function(self._sum, input_signature=signature)
        self._predict = tf.function(self._gather, input_signature=signature)

    def measure(self) -> Sums:
        """The objective over all rows."""
        total = Sums.of(self._objective.measures, [0.0] * (2 + len(self._objective.measures)))
        for matrix in self._calls():
            summed = self._measure(*self._feed.take(matrix).tensors()).numpy().tolist()
            total += Sums.of(self._objective.measures, summed)
        return total

    def predict(self) -> NDArray[np.float32]:
        """The model's answer to each row, float32 (rows, outputs)."""
        answers = [
            self._predict(*self._feed.take(matrix).tensors()).numpy()[matrix.weights > 0]
            for matrix in self._calls()
        ]
        return np.concatenate(answers)[: self._count]

    def _calls(self) -> Iterator[Matrix]:
        """All rows, in as many calls as keep each of them small."""
        batches = arrange(np.arange(self._count), self._batch, self._gang.replicas)
        steps = self._feed.most_steps(self._batch)
        for first in range(0, len(batches), steps):
            yield batches.cut(first, steps)

    def _sum(self, features: Any, targets: Any, counted: Any, weights: Any, rows: Any) -> Any:
        del weights
        strategy = self._gang.strategy
        sums = tf.zeros((2 + len(self._objective.measures),), tf.float64)
        for index in tf.range(tf.shape(rows)[0]):
            own = tuple(fed[index] for fed in (features, targets, counted))
            each = strategy.run(self._measure_batch, args=own)
            sums += tf.add_n(strategy.experimental_local_results(each))
        return self._gang.sum_over_replicas(sums)

    def _measure_batch(self, features: Any, targets: Any, counted: Any) -> Any:
        features, targets, counted = (
            self._gang.own_columns(each) for each in (features, targets, counted)
        )
        computed = self._objective.compute(
            self._model, tf.cast(features, tf.float32), targets, training=False
        )
        return _sums(tf.reduce_sum(counted * computed.losses), counted, computed.measures)

    def _gather(self, features: Any, targets: Any, counted: Any, weights: Any, rows: Any) -> Any:
        """The answers to all columns of the batches: (steps, width, outputs)."""
        del targets, counted, weights
        strategy = self._gang.strategy
        steps = tf.shape(rows)[0]
        answers = tf.TensorArray(tf.float32, steps)
        for index in tf.range(steps):
            each = strategy.run(self._predict_batch, args=(features[index],))
            answers = answers.write(index, tf.add_n(strategy.experimental_local_results(each)))
        return self._gang.sum_over_replicas(answers.stack())

    def _predict_batch(self, features: Any) -> Any:
        """This replica's answers in its own columns, zeros in the others: (width, outputs)."""
        own = self._gang.own_columns(features)
        answers = tf.cast(self._model(tf.cast(own, tf.float32), training=False), tf.float32)
        return self._gang.in_place(answers)


def _sums(loss: Any, counted: Any, measures: Sequence[Any]) -> Any:
    summed = [loss, tf.reduce_sum(counted), *(tf.reduce_sum(counted * each) for each in measures)]
    return tf.cast(tf.stack(summed), tf.float64)
