"""A training that is resumed goes on as if it had not been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec import Training as Spec
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.target import Classes
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.feed import Feed
from trainyard_trainer.training.fit.graph import Trainer
from trainyard_trainer.training.fit.randomness import seeds_of_replicas
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.fit.updating import Pace, Updating
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

ROWS = 16
TARGETS = np.tile(np.arange(2, dtype=np.int64), ROWS // 2)
PART = whole(Resident(np.random.default_rng(1).normal(size=(ROWS, 3)).astype(np.float32)), TARGETS)
OBJECTIVE = Supervised(task_of(Classes(("a", "b")), Spec(), TARGETS))


class Training:
    """A small model with a random layer and a statistic, and its optimizer."""

    def __init__(self, optimizer: str, **arguments: Any) -> None:
        keras.utils.set_random_seed(7)
        self.gang = Gang.alone()
        with self.gang.strategy.scope(), seeds_of_replicas():
            layers = [
                keras.Input((3,)),
                keras.layers.Dense(4, "relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(2, "softmax"),
            ]
            self.model = keras.Sequential(layers)
            made = getattr(keras.optimizers, optimizer)(learning_rate=0.05, **arguments)
            made.build(self.model.trainable_variables)
            updating = Updating(Pace(), made, self.model.trainable_variables)
        self.state = State(self.model, made)
        self.optimizer = made
        self.feed = Feed(self.gang, PART, OBJECTIVE.row_weights)
        self.trainer = Trainer(self.gang, self.model, updating, OBJECTIVE, self.feed, 3)

    def train(self, first: int, last: int) -> Training:
        batches = Batches(ROWS, 4, self.gang.replicas, 0).of_epoch(0)
        for step in range(first, last):
            self.trainer.run(self.feed.take(batches.cut(step, 1)), step, False, 0.0)
            self.state.step = step + 1
        return self

    def weights(self) -> list[NDArray[Any]]:
        return [np.asarray(weight) for weight in self.model.get_weights()]


@pytest.mark.parametrize("optimizer", ["Adam", "Nadam", "Adafactor"])
def test_no_optimizer_forgets_anything(optimizer: str, tmp_path: Path) -> None:
    uninterrupted = Training(optimizer).train(0, 4)
    first = Training(optimizer).train(0, 2)
    checkpoints.save(folder_of(tmp_path), first.state.snapshot(), keep=1)
    second = Training(optimizer)
    second.state.resume(second.gang, folder_of(tmp_path))
    assert second.state.step == 2
    second.train(2, 4)

    for resumed, expected in zip(second.weights(), uninterrupted.weights(), strict=True):
        np.testing.assert_array_equal(resumed, expected)
