"""A model that does not fit into memory is wrong, not unlucky: the message says what to change."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.fit.shortage import FIRST_STEP, must_fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

TARGETS = np.tile(np.arange(2, dtype=np.int64), 8)
PART = whole(Resident(np.ones((16, 2), np.float32)), TARGETS)
BEYOND = 10**14
"""Floats that no address space holds: their allocation fails at once and takes nothing."""


class Wasteful(keras.layers.Layer):  # type: ignore[misc]
    """Computes with more numbers than there is memory for."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + tf.ensure_shape(tf.numpy_function(_wasted, [], tf.float32), [])


def _wasted(*_: object) -> np.float32:
    return np.float32(np.empty(BEYOND).sum())


def trained(build: Callable[[], keras.Model]) -> Fitted:
    training = Training.model_validate({"epochs": 1, "batchSize": 16})
    task = task_of(Classes(("a", "b")), training, TARGETS)
    fitting = Fitting(build, Supervised(task), PART, PART, training)
    return fit(fitting, Gang.alone(), Surroundings.none())


def test_a_model_that_cannot_be_built_names_its_layers_and_the_memory() -> None:
    def build() -> keras.Model:
        dense = keras.layers.Dense(2, kernel_initializer=lambda *_, **__: np.empty(BEYOND))
        return keras.Sequential([keras.Input((2,)), dense])

    with pytest.raises(InvalidSpec, match=r"^spec\.model: .*spec\.workers\.resources") as caught:
        trained(build)
    assert "needs more memory than there is (Unable to allocate" in str(caught.value)


def test_a_first_step_that_does_not_fit_names_the_batch() -> None:
    def build() -> keras.Model:
        head = keras.layers.Dense(2, "softmax")
        return keras.Sequential([keras.Input((2,)), Wasteful(), head])

    with pytest.raises(InvalidSpec, match=r"^spec\.training\.batchSize: the first step needs more"):
        trained(build)


def test_the_size_is_all_that_is_kept_of_tensorflows_message() -> None:
    said = "{{function_node x}} OOM when allocating tensor with shape[2,9] and type float on /job:y"
    error = tf.errors.ResourceExhaustedError(None, None, said)
    kept = r"is \(OOM when allocating tensor with shape\[2,9\] and type float\); make"
    with pytest.raises(InvalidSpec, match=kept), must_fit(FIRST_STEP):
        raise error


def test_what_is_exhausted_may_be_something_else() -> None:
    error = tf.errors.ResourceExhaustedError(None, None, "received message larger than max")
    with pytest.raises(tf.errors.ResourceExhaustedError), must_fit(FIRST_STEP):
        raise error
