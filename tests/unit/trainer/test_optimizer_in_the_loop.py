"""What the training loop owes to Keras' optimizers, which `fit` would do for it."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import Part
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.batches import Batches
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.graph import Trainer
from trainyard_trainer.training.state import State

ROWS = 8
PART = Part(
    np.linspace(-1.0, 1.0, 2 * ROWS, dtype=np.float32).reshape(ROWS, 2),
    np.tile(np.arange(2, dtype=np.int64), ROWS // 2),
)


def train(*, averaged: bool = False, **arguments: Any) -> NDArray[Any]:
    """A layer's kernel after three steps of plain gradient descent."""
    spec = {"data": {"source": {"uri": "sklearn://iris"}}, "model": {"architecture": "dense"}}
    environ = {
        "TRAINYARD_JOB": "j",
        "TRAINYARD_RUN": "r",
        "TRAINYARD_NAMESPACE": "n",
        "TRAINYARD_ATTEMPT": "1",
        "TRAINYARD_STORAGE": "file:///nowhere",
        "TRAINYARD_SPEC": json.dumps(spec),
    }
    gang = Gang.assemble(Pod.from_environment(environ), lambda _: None)
    with gang.strategy.scope():
        kernel = keras.initializers.Constant(0.5)
        layers = [
            keras.Input((2,)),
            keras.layers.Dense(2, "softmax", kernel_initializer=kernel),
        ]
        model = keras.Sequential(layers)
        optimizer = keras.optimizers.SGD(0.5, **arguments)
        optimizer.build(model.trainable_variables)
    state = State(model, optimizer)
    trainer = Trainer(gang, model, optimizer, PART, np.ones(2, np.float32), 0)
    batches = Batches(ROWS, ROWS, gang.replicas, 0)
    for step in range(3):
        trainer.run(batches.of_epoch(step).cut(0, 1), step, False, 0.0)
    if averaged:
        state.take_averages(gang)
    return np.asarray(model.get_weights()[0])


def test_a_loss_scale_changes_nothing_but_precision() -> None:
    np.testing.assert_allclose(train(loss_scale_factor=64.0), train(), rtol=1e-4)


def test_moving_averages_become_the_models_weights_where_they_are_kept() -> None:
    plain = train(averaged=True)
    np.testing.assert_allclose(plain, train())

    averaged = train(averaged=True, use_ema=True, ema_momentum=0.5)
    assert np.abs(averaged - plain).max() > 1e-3
