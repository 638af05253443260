"""Updates that are decided between the replicas."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Final

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_trainer.training import optimizers
from trainyard_trainer.training.fit.updating import FIRST_SCALE, Pace, Updating

STEPS: Final = 6
START: Final = [[0.5, -0.5], [1.0, 2.0]]
GRADIENTS: Final = np.random.default_rng(0).normal(size=(STEPS, 2, 2)).astype(np.float32)


class Weights:
    """One variable that is updated by gradients that are given."""

    def __init__(self, strategy: tf.distribute.Strategy, **spec: Any) -> None:
        training = Training.model_validate(spec)
        self.strategy = strategy
        with strategy.scope():
            self.variable = keras.Variable(START, dtype="float32", name="kernel")
            optimizer = optimizers.build(training, STEPS, 1)
            optimizer.build([self.variable])
            self.updating = Updating(Pace.of(training), optimizer, [self.variable])
        self._decide = tf.function(self._step)

    def _step(self, gradient: Any) -> None:
        shared = self.strategy.run(tf.identity, (gradient,))
        self.updating.decide(self.strategy, [shared])

    def after(self, gradients: Any = GRADIENTS) -> NDArray[Any]:
        for gradient in gradients:
            self._decide(tf.constant(gradient))
        return np.asarray(self.variable.numpy())


def optimizer(name: str = "adam", **arguments: Any) -> dict[str, Any]:
    return {"name": name, "learningRate": 0.1, "arguments": arguments}


def by_keras(name: str, gradients: Any, **arguments: Any) -> NDArray[Any]:
    variable = keras.Variable(START, dtype="float32")
    made = optimizers.build(Training.model_validate({"optimizer": optimizer(name)}), STEPS, 1)
    made = type(made)(learning_rate=0.1, **arguments)
    for gradient in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable.numpy())


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_steps_are_accumulated_as_keras_does(name: str) -> None:
    """Of Adam, an update counts as one: Keras corrects its moments by the number of updates."""
    strategy = tf.distribute.get_strategy()
    own = Weights(strategy, optimizer=optimizer(name, gradient_accumulation_steps=3)).after()

    np.testing.assert_allclose(
        own, by_keras(name, GRADIENTS.reshape(2, 3, 2, 2).mean(axis=1)), rtol=1e-5
    )


def test_what_is_left_over_waits_for_the_next_steps() -> None:
    strategy = tf.distribute.get_strategy()
    made = Weights(strategy, optimizer=optimizer("sgd", gradient_accumulation_steps=4))

    np.testing.assert_allclose(made.after(), by_keras("sgd", [GRADIENTS[:4].mean(axis=0)]))
    assert len(made.updating.variables) == 2, "a restart goes on with what was added up"


def test_averages_overwrite_the_weights_as_keras_does() -> None:
    given = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}
    own = Weights(tf.distribute.get_strategy(), optimizer=optimizer("sgd", **given)).after()

    np.testing.assert_allclose(own, by_keras("sgd", GRADIENTS, **given), rtol=1e-5)
    assert np.abs(own - by_keras("sgd", GRADIENTS)).max() > 1e-3


def scaled(gradients: Any, scale: float) -> list[NDArray[Any]]:
    return [np.asarray(gradient * np.float32(scale)) for gradient in gradients]


def test_gradients_of_large_losses_are_taken_as_those_of_the_loss() -> None:
    made = Weights(tf.distribute.get_strategy(), optimizer=optimizer(), precision="mixed_float16")

    assert float(made.updating.scaled(tf.constant(2.0))) == 2.0 * FIRST_SCALE
    np.testing.assert_allclose(
        made.after(scaled(GRADIENTS, FIRST_SCALE)), by_keras("adam", GRADIENTS), rtol=1e-5
    )


def test_a_step_that_overflows_is_left_out_and_the_scale_is_halved() -> None:
    made = Weights(tf.distribute.get_strategy(), optimizer=optimizer(), precision="mixed_float16")
    first = scaled(GRADIENTS[:2], FIRST_SCALE)
    overflow = np.full((2, 2), np.inf, np.float32)
    made.after([*first, overflow, *scaled(GRADIENTS[2:], FIRST_SCALE / 2)])

    assert float(made.updating.scaled(tf.constant(1.0))) == FIRST_SCALE / 2
    np.testing.assert_allclose(
        np.asarray(made.variable.numpy()), by_keras("adam", GRADIENTS), rtol=1e-5
    )


_TWO_REPLICAS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from tests.unit.trainer.test_updating import GRADIENTS, Weights, optimizer, scaled, FIRST_SCALE

mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert mirrored.num_replicas_in_sync == 2
for given, precision in [
    ({"gradient_accumulation_steps": 3}, "float32"),
    ({"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}, "float32"),
    ({"gradient_accumulation_steps": 2}, "mixed_float16"),
]:
    gradients = GRADIENTS if precision == "float32" else [
        *scaled(GRADIENTS, FIRST_SCALE), np.full((2, 2), np.nan, np.float32)
    ]
    one, two = (
        Weights(strategy, optimizer=optimizer("adam", **given), precision=precision)
        for strategy in (tf.distribute.get_strategy(), mirrored)
    )
    np.testing.assert_allclose(two.after(gradients), one.after(gradients), rtol=1e-5)
    for variable in two.updating.variables:
        variable.assign(variable.numpy())
print("alike")
"""


def test_two_replicas_decide_as_one_does() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _TWO_REPLICAS], capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip().endswith("alike"), ended.stderr[-3000:]
