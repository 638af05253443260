"""What a training step owes to Keras' optimizers, which `fit` would do for it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Part, whole
from trainyard_trainer.data.target import Classes
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training import optimizers
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.feed import Feed
from trainyard_trainer.training.fit.graph import Call, Trainer
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.fit.updating import Pace, Updating
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

ROWS = 8
FEATURES = np.linspace(-1.0, 1.0, 2 * ROWS, dtype=np.float32).reshape(ROWS, 2)
TARGETS = np.tile(np.arange(2, dtype=np.int64), ROWS // 2)
PART = whole(Resident(FEATURES), TARGETS)


class Learning:
    """A layer that learns by plain gradient descent, a step a call."""

    def __init__(self, gang: Gang, part: Part = PART, rate: float = 0.5, **arguments: Any) -> None:
        training = Training.model_validate(
            {"optimizer": {"name": "sgd", "learningRate": rate, "arguments": arguments}}
        )
        task = task_of(Classes(("a", "b")), training, TARGETS)
        self.gang = gang
        with gang.strategy.scope():
            kernel = keras.initializers.Constant(0.5)
            layers = [
                keras.Input((2,)),
                keras.layers.Dense(2, "softmax", kernel_initializer=kernel),
            ]
            self.model = keras.Sequential(layers)
            self.optimizer = optimizers.build(training, 3, 1)
            self.optimizer.build(self.model.trainable_variables)
            pace = Pace.of(training)
            self.updating = Updating(pace, self.optimizer, self.model.trainable_variables)
        self.state = State(self.model, self.optimizer, self.updating.variables)
        self.feed = Feed(gang, part, task.row_weights)
        objective = Supervised(task)
        self.trainer = Trainer(gang, self.model, self.updating, objective, self.feed, 0)
        self.batches = Batches(ROWS, ROWS, gang.replicas, 0)

    def step(self, number: int) -> Call:
        fed = self.feed.take(self.batches.of_epoch(number).cut(0, 1))
        return self.trainer.run(fed, number, False, 0.0)

    def kernel(self) -> NDArray[Any]:
        return np.asarray(self.model.get_weights()[0])


def train(gang: Gang | None = None, *, averaged: bool = False, **arguments: Any) -> NDArray[Any]:
    """The kernel after three steps."""
    learning = Learning(gang or Gang.alone(), **arguments)
    for number in range(3):
        assert learning.step(number).sound
    if averaged:
        learning.state.take_averages(learning.gang)
    return learning.kernel()


def test_a_loss_scale_changes_nothing_but_precision() -> None:
    np.testing.assert_allclose(train(loss_scale_factor=64.0), train(), rtol=1e-4)


def test_moving_averages_become_the_models_weights_where_they_are_kept() -> None:
    plain = train(averaged=True)
    np.testing.assert_allclose(plain, train())

    averaged = train(averaged=True, use_ema=True, ema_momentum=0.5)
    assert np.abs(averaged - plain).max() > 1e-3


def test_weights_that_are_no_numbers_after_the_update_are_told() -> None:
    steep = whole(Resident(FEATURES * 1e4), TARGETS)
    learning = Learning(Gang.alone(), steep, rate=3e38)
    first = learning.step(0)

    assert np.isfinite(first.sums.loss), "the loss before the update shows nothing yet"
    assert not first.sound
