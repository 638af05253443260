"""When gradients become weights: in every step, or as a decision of all replicas together.

Keras' optimizers decide inside a replica whether they update (to accumulate gradients, to skip
those that are not finite, to take moving averages). TensorFlow's strategies cannot build a graph of
such a decision. Here it is taken between the replicas, by what all of them have alike, so that any
number of workers does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.training import optimizers

FIRST_SCALE: Final = 2.0**15
GROWS_AFTER: Final = 2000
"""Steps without overflow after which the scale is doubled: Keras' own, and PyTorch's."""


@dataclass(frozen=True)
class Pace:
    """How updates follow from steps.

    Attributes:
        accumulates: steps whose mean gradient makes one update.
        overwrites: updates after which the weights become their moving averages; None: they do so
            at the end of the training alone.
        scales: losses are made large, so that gradients do not vanish in half precision, and
            steps whose gradients overflow are left out (Micikevicius et al., Mixed Precision
            Training, 2018).
    """

    accumulates: int = 1
    overwrites: int | None = None
    scales: bool = False

    @property
    def decides(self) -> bool:
        """Whether there is anything to decide."""
        return self.accumulates > 1 or self.overwrites is not None or self.scales

    @classmethod
    def of(cls, training: Training) -> Pace:
        """What a spec asks for."""
        return cls(
            accumulates=optimizers.accumulated(training),
            overwrites=optimizers.overwritten_every(training),
            scales=training.precision == "mixed_float16",
        )


class Updating:
    """Takes the gradients of steps, the sums over all replicas.

    Attributes:
        optimizer: that makes weights of gradients.
        variables: what it remembers between steps, for checkpoints.
    """

    def __init__(
        self,
        pace: Pace,
        optimizer: keras.optimizers.Optimizer,
        trainable: Sequence[keras.Variable],
    ) -> None:
        """To be called in the strategy's scope.

        Args:
            trainable: the model's variables, in the order of the gradients.
        """
        self.pace = pace
        self.optimizer = optimizer
        self._trainable = list(trainable)
        self._sums: list[Any] = []
        self.variables: list[Any] = []
        if pace.accumulates > 1:
            self._sums = [_of_replicas(variable) for variable in self._trainable]
            self._taken = _number("accumulated_steps", 0, "int64")
            self.variables += [*self._sums, self._taken]
        if pace.scales:
            self._scale = _number("loss_scale", FIRST_SCALE, "float32")
            self._sound = _number("steps_without_overflow", 0, "int64")
            self.variables += [self._scale, self._sound]

    def scaled(self, loss: Any) -> Any:
        """Inside a replica: the loss of which gradients are taken."""
        loss = loss * self._scale if self.pace.scales else loss
        # Optimizers divide the gradients by their loss_scale_factor, where they have one.
        return self.optimizer.scale_loss(loss)

    def apply(self, gradients: Sequence[Any]) -> None:
        """Inside a replica: update the weights, where there is nothing to decide."""
        self.optimizer.apply_gradients(zip(gradients, self._trainable, strict=True))

    def decide(self, strategy: tf.distribute.Strategy, gradients: Sequence[Any]) -> None:
        """Between the replicas: update the weights, or not.

        Args:
            gradients: what `strategy.run` has given, None for variables that have none.
        """
        if not self.pace.scales:
            self._take(strategy, gradients)
            return
        finite = strategy.experimental_local_results(strategy.run(_are_finite, (gradients,)))[0]
        tf.cond(finite, lambda: self._take_scaled(strategy, gradients), self._leave_out)

    def _take_scaled(self, strategy: tf.distribute.Strategy, gradients: Sequence[Any]) -> Any:
        self._take(strategy, strategy.run(self._unscaled, (gradients,)))
        grown = self._sound >= GROWS_AFTER - 1
        self._scale.assign(tf.where(grown, 2.0 * self._scale, self._scale))
        self._sound.assign(tf.where(grown, tf.zeros_like(self._sound), self._sound + 1))
        return tf.constant(True)

    def _leave_out(self) -> Any:
        self._scale.assign(tf.maximum(0.5 * self._scale, 1.0))
        self._sound.assign(tf.zeros_like(self._sound))
        return tf.constant(False)

    def _unscaled(self, gradients: Sequence[Any]) -> list[Any]:
        return [None if each is None else each / self._scale for each in gradients]

    def _take(self, strategy: tf.distribute.Strategy, gradients: Sequence[Any]) -> None:
        if self.pace.accumulates == 1:
            self._update(strategy, gradients)
            return
        strategy.run(self._add, (gradients,))
        self._taken.assign(self._taken + 1)
        have = [each is not None for each in gradients]

        def update() -> Any:
            self._update(strategy, strategy.run(self._mean, (have,)))
            strategy.run(self._forget)
            self._taken.assign(tf.zeros_like(self._taken))
            return tf.constant(True)

        tf.cond(self._taken >= self.pace.accumulates, update, lambda: tf.constant(False))

    def _add(self, gradients: Sequence[Any]) -> None:
        for total, gradient in zip(self._sums, gradients, strict=True):
            if gradient is not None:
                total.assign_add(gradient)

    def _mean(self, have: Sequence[bool]) -> list[Any]:
        return [
            total / self.pace.accumulates if there else None
            for total, there in zip(self._sums, have, strict=True)
        ]

    def _forget(self) -> None:
        for total in self._sums:
            total.assign(tf.zeros_like(total))

    def _update(self, strategy: tf.distribute.Strategy, gradients: Sequence[Any]) -> None:
        strategy.run(self.apply, (gradients,))
        if self.pace.overwrites is None:
            return

        def overwrite() -> Any:
            self.optimizer._overwrite_model_variables_with_average_value(self._trainable)
            return tf.constant(True)

        done = tf.cast(self.optimizer.iterations.value, tf.int64)
        due = tf.equal(done % self.pace.overwrites, 0)
        tf.cond(due, overwrite, lambda: tf.constant(False))


def _are_finite(gradients: Sequence[Any]) -> Any:
    """Inside a replica: whether all are numbers; all replicas have the same ones."""
    known = [tf.reduce_all(tf.math.is_finite(each)) for each in gradients if each is not None]
    return tf.reduce_all(tf.stack(known))


def _number(name: str, value: float, dtype: str) -> tf.Variable:
    """One that all replicas have alike, and that is written between them."""
    return tf.Variable(tf.constant(value, dtype), trainable=False, name=name)


def _of_replicas(like: keras.Variable) -> tf.Variable:
    """Zeros that are written inside of replicas, each of which has its own."""
    return tf.Variable(
        tf.zeros(like.shape, like.dtype),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        name=f"accumulated_{like.name}",
    )
