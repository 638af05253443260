"""How a training goes on whose rows are changed in every step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.unit.trainer.augmented import (
    CLASSES,
    dataset_of,
    layer,
    part_of,
)
from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec import Training
from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Folder
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.fit.loop import Outside
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

DIGITS = np.random.default_rng(3).integers(0, 17, (36, 8, 8, 1)).astype(np.float32)
AUGMENTED = [
    layer("RandomTranslation", height_factor=0.2, width_factor=0.2),
    layer("RandomInvert"),
    layer("MixUp", alpha=0.4),
]


def fitted(surroundings: Surroundings, layers: list[AugmentationLayer] | None = None) -> Fitted:
    """Three epochs of six steps, two in each call of the graph."""
    training = Training.model_validate({"epochs": 3, "batchSize": 6, "stepsPerExecution": 2})

    def build() -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Rescaling(1 / 16),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(CLASSES.outputs, "softmax"),
            ]
        )

    dataset = dataset_of(DIGITS)
    fitting = Fitting(
        build=build,
        objective=Supervised(task_of(CLASSES, training, dataset.train.targets)),
        train=dataset.train,
        validation=dataset.validation,
        training=training,
        augmentation=Augmentation.of(AUGMENTED if layers is None else layers, dataset),
    )
    return fit(fitting, Gang.alone(), surroundings)


def stopping(folder: Folder, calls: int) -> Surroundings:
    """A training that is asked to stop before one of its calls, and leaves a checkpoint."""
    asked = iter([False] * (calls - 1))
    outside = Outside(
        lambda: next(asked, True),
        lambda snapshot: checkpoints.save(folder, snapshot, keep=1),
        lambda: None,
        None,
    )
    return Surroundings(Tracker(), folder, outside)


def test_a_resumed_training_changes_rows_as_an_undisturbed_one_does(tmp_path: Path) -> None:
    undisturbed = fitted(Surroundings.none())
    first = fitted(stopping(folder_of(tmp_path), calls=4))
    assert (first.finished, first.steps) == (False, 8)
    second = fitted(stopping(folder_of(tmp_path), calls=100))

    assert second.resumed_from == 8
    for resumed, expected in zip(
        second.model.get_weights(), undisturbed.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(resumed, expected)
    plain = fitted(Surroundings.none(), layers=[])
    assert (plain.model.get_weights()[0] != undisturbed.model.get_weights()[0]).any()


def test_neither_validation_nor_the_model_knows_of_augmentation() -> None:
    surroundings = Surroundings.none()
    model = fitted(surroundings, [layer("RandomInvert", factor=[1.0, 1.0])]).model
    kinds = {type(each).__name__ for each in model.layers}
    assert kinds == {"Flatten", "Rescaling", "Dropout", "Dense"}

    part = part_of(DIGITS)
    answers = model(part.features(), training=False)
    losses = keras.losses.sparse_categorical_crossentropy(part.targets, answers)
    measured = surroundings.tracker.snapshot().metrics["val_loss"]
    assert measured == pytest.approx(float(np.mean(losses)), rel=1e-5)


def test_moved_pictures_are_known_by_a_model_that_learned_from_moved_ones() -> None:
    digits = load_digits()
    pictures = digits.images[..., np.newaxis].astype(np.float32)
    moved = np.roll(pictures[600:], (1, -2), axis=(1, 2))
    part = whole(Resident(pictures[:600]), digits.target[:600].astype(np.int64))
    classes = Classes(tuple("0123456789"))
    dataset = Dataset(part, part, part, Schema((8, 8, 1), classes))
    training = Training.model_validate(
        {"epochs": 15, "batchSize": 64, "optimizer": {"learningRate": 0.003}}
    )

    def build() -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Rescaling(1 / 16),
                keras.layers.Flatten(),
                keras.layers.Dense(128, "relu"),
                keras.layers.Dense(10, "softmax"),
            ]
        )

    def accuracy(layers: list[AugmentationLayer]) -> float:
        objective = Supervised(task_of(classes, training, part.targets))
        augmentation = Augmentation.of(layers, dataset)
        fitting = Fitting(build, objective, part, part, training, augmentation)
        model = fit(fitting, Gang.alone(), Surroundings.none()).model
        return float((np.argmax(model(moved), axis=1) == digits.target[600:]).mean())

    moving = layer("RandomTranslation", height_factor=0.25, width_factor=0.25, fill_mode="wrap")
    assert accuracy([moving]) > accuracy([]) + 0.1


IN_TWO_REPLICAS = """
import keras, tensorflow as tf
from tests.unit.trainer.augmented import BYTES, GREY, dataset_of, layer
from trainyard_trainer.augmentation import Augmentation, check
from trainyard_trainer.training.fit.randomness import Randomness

check([layer("RandomContrast", factor=0.5), layer("MixUp")], GREY)
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
augmentation = Augmentation([layer("RandomContrast", factor=0.5)], dataset_of(BYTES))
randomness = Randomness(keras.Sequential(), 3)

@tf.function
def changed(step):
    def replica():
        rows = tf.constant(BYTES, tf.float32)
        return augmentation.apply(rows, tf.ones(len(BYTES)), randomness.seed(step)).features
    return strategy.experimental_local_results(strategy.run(replica))

steps = [changed(tf.constant(step, tf.int64)) for step in (5, 6, 5)]
first, second, again = ([rows.numpy().tobytes() for rows in step] for step in steps)
assert len({*first, *second}) == 4, "replicas or steps change rows alike"
assert again == first
"""


def test_replicas_and_steps_differ_and_the_check_touches_no_device() -> None:
    subprocess.run([sys.executable, "-c", IN_TWO_REPLICAS], check=True)
