"""Augmentation: which layers there are, what they make of rows, and how a training goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec import Training
from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import Augmentation, catalog, check, note
from trainyard_trainer.augmentation.mixture import Mixture, Share
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Part, whole
from trainyard_trainer.data.schema import Column, Schema, Spread
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Folder
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.loop import Outside
from trainyard_trainer.training.objective import Supervised, compute_mixed

ROWS = 6
PICTURE = (12, 10, 3)
CLASSES = Classes(("a", "b", "c"))
BYTES = np.random.default_rng(0).integers(0, 256, (ROWS, *PICTURE)).astype(np.uint8)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": [2, 2]},
    "GaussianNoise": {"stddev": 0.0},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": 0.2,
        "saturation_factor": 0.8,
        "hue_factor": 0.2,
    },
    "RandomContrast": {"factor": 0.3},
    "RandomHue": {"factor": 0.5},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.8},
    "RandomSharpness": {"factor": 0.5},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Solarization": {"threshold_factor": 0.5},
}
SETTLED = (
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "GaussianNoise",
)
"""Layers without randomness, as they are tried here."""


def layer(name: str, **arguments: Any) -> AugmentationLayer:
    return AugmentationLayer(layer=name, arguments=arguments)


def part_of(features: NDArray[Any]) -> Part:
    return whole(Resident(features), np.arange(len(features), dtype=np.int64) % CLASSES.outputs)


def dataset_of(features: NDArray[Any], **schema: Any) -> Dataset:
    part = part_of(features)
    return Dataset(part, part, part, Schema(features.shape[1:], CLASSES, **schema))


class Changing:
    """Rows, changed inside a graph that takes any number of them."""

    def __init__(self, layers: list[AugmentationLayer], dataset: Dataset) -> None:
        self.rows = dataset.train.features().astype(np.float32)
        augmentation = Augmentation(layers, dataset)

        def apply(rows: Any, weights: Any, seed: Any) -> Any:
            mixture = augmentation.apply(rows, weights, seed)
            return mixture.features, [(share.fraction, share.rows) for share in mixture.shares]

        self.graph = tf.function(
            apply,
            input_signature=[
                tf.TensorSpec((None, *dataset.shape), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((2,), tf.int32),
            ],
        )

    def mixture(self, seed: int, weights: NDArray[np.float32] | None = None) -> Mixture:
        given = np.ones(len(self.rows), np.float32) if weights is None else weights
        features, shares = self.graph(self.rows, given, tf.constant([seed, 0]))
        return Mixture(features, given, tuple(Share(*share) for share in shares))

    def features(self, seed: int) -> NDArray[np.float32]:
        return np.asarray(self.mixture(seed).features)


@pytest.mark.parametrize("name", catalog.known())
def test_every_layer_changes_rows_of_any_range_alike_for_the_same_seed(name: str) -> None:
    applied = [layer(name, **ARGUMENTS.get(name, {}))]
    for features, lowest, highest in (
        (BYTES, 0.0, 255.0),
        ((BYTES / 255).astype(np.float32), 0.0, 1.0),
        ((BYTES / 51 - 3).astype(np.float32), -3.0, 2.0),
    ):
        changing = Changing(applied, dataset_of(features))
        first, again, other = (changing.features(seed) for seed in (1, 1, 2))

        assert first.shape == features.shape
        room = 1e-5 * (highest - lowest)
        assert lowest - room <= first.min() <= first.max() <= highest + room
        assert first.max() - first.min() > 0.3 * (highest - lowest), "nothing is left of it"
        np.testing.assert_array_equal(again, first)
        assert (other != first).any() == (name not in SETTLED)
        assert (first != changing.rows).any() == (name != "GaussianNoise"), "here without noise"
        assert not changing.graph.get_concrete_function().captured_inputs, "it keeps a state"


def test_what_the_spec_says_of_the_range_is_taken() -> None:
    dark = np.full((2, 4, 4, 1), 0.25, np.float32)
    dark[0, 0] = 0.5
    inverted = Changing([layer("RandomInvert", factor=[1.0, 1.0])], dataset_of(dark))
    np.testing.assert_allclose(inverted.features(1), 0.75 - dark, atol=1e-6)

    within = layer("RandomInvert", factor=[1.0, 1.0], value_range=[0, 1])
    np.testing.assert_allclose(
        Changing([within], dataset_of(dark)).features(1), 1.0 - dark, atol=1e-6
    )


def test_channels_that_come_first_are_turned_and_turned_back() -> None:
    applied = [
        layer("RandomTranslation", height_factor=0.2, width_factor=0.1),
        layer("RandomHue", factor=0.5),
        layer("CutMix"),
        layer("GaussianNoise", stddev=0.1),
    ]
    last = Changing(applied, dataset_of(BYTES)).features(3)
    turned = np.ascontiguousarray(np.moveaxis(BYTES, -1, 1))
    first = Changing(applied, dataset_of(turned, channels_first=True)).features(3)

    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, atol=1e-3)


def table(**more: Any) -> Dataset:
    """Numbers of very different sizes, one of them missing in the first row, and a truth value."""
    random = np.random.default_rng(1)
    features = np.stack(
        [random.normal(5e3, 1e3, 500), random.normal(0, 1e-3, 500), random.integers(0, 2, 500)], 1
    ).astype(np.float32)
    features[0, 0] = np.nan
    columns = (
        Column("weight", "number", 0, fill=5e3, spread=Spread(5e3, 1e3, 1e3, 9e3)),
        Column("time", "time", 1, spread=Spread(0.0, 1e-3, -5e-3, 5e-3)),
        Column("member", "boolean", 2),
    )
    return dataset_of(features, columns=columns, **more)


def test_noise_is_in_the_unit_of_each_column_and_of_numbers_alone() -> None:
    dataset = table()
    changing = Changing([layer("GaussianNoise", stddev=0.1)], dataset)
    noise = changing.features(1) - changing.rows

    assert np.isnan(noise[0, 0])
    np.testing.assert_allclose(np.nanstd(noise[:, 0]), 100.0, rtol=0.2)
    np.testing.assert_allclose(np.std(noise[:, 1]), 1e-4, rtol=0.2)
    assert not noise[:, 2].any()


def test_what_is_missing_is_not_mixed_into_other_rows() -> None:
    changed = Changing([layer("MixUp", alpha=1.0)], table()).features(1)
    assert np.argwhere(np.isnan(changed)).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    "names", [("MixUp",), ("CutMix",), ("MixUp", "CutMix", "RandomFlip")], ids="+".join
)
def test_mixed_losses_are_those_of_mixed_one_hot_targets(names: tuple[str, ...]) -> None:
    mixture = Changing([layer(name) for name in names], dataset_of(BYTES)).mixture(4)
    targets = np.array([0, 1, 2, 0, 1, 2], np.int64)
    logits = np.random.default_rng(2).normal(size=(ROWS, CLASSES.outputs)).astype(np.float32)
    outputs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    objective = Supervised(task_of(CLASSES, Training(), targets))
    calls: list[bool] = []

    def model(features: Any, training: bool) -> Any:
        assert features.shape == BYTES.shape
        calls.append(training)
        return tf.constant(outputs)

    computed = compute_mixed(objective, model, mixture, tf.constant(targets))

    one_hot = np.eye(CLASSES.outputs)[targets]
    mixed = sum(
        np.asarray(share.fraction)[:, np.newaxis] * one_hot[np.asarray(share.rows)]
        for share in mixture.shares
    )
    np.testing.assert_allclose(np.sum(mixed, axis=1), 1.0, rtol=1e-5)
    assert np.max(mixed, axis=1).min() < 0.99, "nothing is mixed"
    np.testing.assert_allclose(computed.losses, -(mixed * np.log(outputs)).sum(axis=1), rtol=1e-4)
    right = mixed[np.arange(ROWS), outputs.argmax(axis=1)]
    np.testing.assert_allclose(computed.measures[0], right, rtol=1e-5, atol=1e-6)
    assert calls == [True]


def test_rows_that_are_mixed_twice_are_known_to_be_made_of_four() -> None:
    twice = [layer("MixUp", alpha=1.0), layer("MixUp", alpha=1.0)]
    mixture = Changing(twice, dataset_of(np.eye(ROWS, dtype=np.float32))).mixture(1)

    assert len(mixture.shares) == 4
    made_of = sum(
        np.asarray(share.fraction)[:, np.newaxis] * np.eye(ROWS)[np.asarray(share.rows)]
        for share in mixture.shares
    )
    np.testing.assert_allclose(mixture.features, made_of, atol=1e-6)


def test_each_target_counts_by_its_own_weight_and_fillers_mix_with_nobody() -> None:
    weights = np.array([1.0, 5.0, 2.0, 3.0, 0.0, 0.0], np.float32)
    changing = Changing([layer("MixUp", alpha=1.0)], dataset_of(BYTES))
    mixture = changing.mixture(1, weights)
    own, other = mixture.shares

    partners = np.asarray(other.rows)
    assert sorted(partners[:4]) == [0, 1, 2, 3], "each row is the partner of one"
    assert partners.tolist() != list(range(ROWS))
    assert partners[4:].tolist() == [4, 5]
    fraction = np.asarray(own.fraction)[:, np.newaxis, np.newaxis, np.newaxis]
    expected = fraction * changing.rows + (1 - fraction) * changing.rows[partners]
    np.testing.assert_allclose(mixture.features, expected, atol=1e-3)

    targets = np.arange(ROWS) % CLASSES.outputs
    objective = Supervised(task_of(CLASSES, Training(), targets))
    outputs = tf.fill((ROWS, CLASSES.outputs), 1.0 / CLASSES.outputs)
    computed = compute_mixed(objective, lambda *_, **__: outputs, mixture, tf.constant(targets))
    share = fraction.ravel()
    counted = share * weights + (1 - share) * weights[partners]
    np.testing.assert_allclose(computed.losses, counted * np.log(CLASSES.outputs), rtol=1e-5)


def test_cutmix_counts_the_area_that_is_left() -> None:
    pictures = np.zeros((ROWS, 8, 6, 1), np.float32)
    pictures += np.arange(ROWS, dtype=np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
    mixture = Changing([layer("CutMix")], dataset_of(pictures)).mixture(2)
    own, other = mixture.shares
    features, partners = np.asarray(mixture.features), np.asarray(other.rows)

    for row in np.flatnonzero(partners != np.arange(ROWS)):
        kept = (features[row] == row).mean()
        np.testing.assert_allclose(np.asarray(own.fraction)[row], kept, atol=1e-6)
        assert set(np.unique(features[row])) <= {float(row), float(partners[row])}
    assert 0.0 < np.asarray(own.fraction).min() < 1.0


GREY = Schema((8, 8, 1), CLASSES)
NUMBERS = Schema((4,), CLASSES)
CITIES = Schema(
    (2,), CLASSES, (Column("city", "category", 0, vocabulary=("Oslo",)), Column("age", "number", 1))
)
WORDS = Schema((5,), CLASSES, (Column("text", "text", 0, width=5, vocabulary=("a", "b")),))


@pytest.mark.parametrize(
    ("schema", "wrong", "field", "said"),
    [
        (GREY, layer("RandomFlipp"), "layer", "did you mean RandomFlip? known: AutoContrast"),
        (GREY, layer("random_zoom"), "layer", "did you mean RandomZoom?"),
        (GREY, layer("Dense"), "layer", "is no layer for augmentation"),
        (GREY, layer("AugMix"), "layer", "use RandAugment"),
        (GREY, layer("RandomElasticTransform"), "layer", "use RandomPerspective"),
        (GREY, layer("RandomCrop", height=4, width=4), "layer", "changes the size"),
        (GREY, layer("RandomHue", factor=0.1), "layer", "pictures of 3 channels"),
        (GREY, layer("RandomFlip", axis=1), "arguments", "has no argument axis; use one of"),
        (GREY, layer("RandomFlip", mode="up"), "arguments.mode", "use one of: horizontal"),
        (GREY, layer("RandomRotation"), "arguments.factor", "is required by RandomRotation"),
        (GREY, layer("RandomFlip", seed=1), "arguments.seed", "spec.training.seed"),
        (GREY, layer("MixUp", factor=1), "arguments", "use one of: alpha"),
        (
            GREY,
            layer("RandomZoom", height_factor=0.1, data_format="channels_last"),
            "arguments.data_format",
            "spec.data.preprocessing.channels",
        ),
        (
            GREY,
            layer("RandomContrast", factor=0.1, value_range=[1, 0]),
            "arguments.value_range",
            "as in [0, 255]",
        ),
        (NUMBERS, layer("RandomFlip"), "layer", "use GaussianNoise or MixUp"),
        (NUMBERS, layer("CutMix"), "layer", "use GaussianNoise or MixUp"),
        (CITIES, layer("MixUp"), "layer", "take city out of spec.data.source.features"),
        (WORDS, layer("MixUp"), "layer", "leave it out"),
        (WORDS, layer("GaussianNoise", stddev=0.1), "layer", "there are none"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cure(
    schema: Schema, wrong: AugmentationLayer, field: str, said: str
) -> None:
    fitting = [] if schema is WORDS else [layer("GaussianNoise", stddev=0.1)]
    with pytest.raises(InvalidSpec) as error:
        check([*fitting, wrong], schema)
    assert str(error.value).startswith(f"spec.data.augmentation[{len(fitting)}].{field}: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    "refused",
    [
        layer("RandomRotation", factor="strong"),
        layer("RandomRotation", factor=0.1, interpolation="cubic"),
        layer("RandomPosterization", factor=12),
        layer("RandomErasing", fill_value="black"),
        layer("RandAugment", num_ops="two"),
        layer("MixUp", alpha=0),
        layer("CutMix", alpha="1.0"),
        layer("GaussianNoise", stddev=-1),
    ],
    ids=lambda each: each.layer,
)
def test_arguments_that_a_layer_refuses_are_told_before_the_first_step(
    refused: AugmentationLayer,
) -> None:
    check([refused], GREY)
    grey = np.zeros((2, 8, 8, 1), np.uint8)
    with pytest.raises(InvalidSpec, match=rf"augmentation\[0\].arguments: {refused.layer}"):
        Augmentation([refused], dataset_of(grey))


def test_it_is_told_what_is_changed_and_how_many_rows() -> None:
    told = note([layer("RandomFlip"), layer("MixUp")], 1437)
    assert "1437 training rows" in told
    assert told.endswith("RandomFlip, MixUp")


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
from tests.unit.trainer.test_augmentation import BYTES, GREY, dataset_of, layer
from trainyard_trainer.augmentation import Augmentation, check
from trainyard_trainer.training.randomness import Randomness

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
