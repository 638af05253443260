"""Augmentation: which layers there are, and what they make of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.unit.trainer.augmented import (
    ARGUMENTS,
    BYTES,
    CLASSES,
    GREY,
    ROWS,
    SETTLED,
    Changing,
    dataset_of,
    layer,
)
from trainyard_api.spec import Training
from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import Augmentation, catalog, check, note
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.schema import Column, Schema, Spread
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.objectives.objective import Supervised, compute_mixed


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
