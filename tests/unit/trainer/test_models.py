"""Models and the scaling inside them."""

from typing import Any

import keras
import numpy as np
import pytest

from trainyard_api.spec import Model, Training
from trainyard_trainer.data.moments import moments
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models import Scaling, build, scaling_of
from trainyard_trainer.models.scaling import Kind, scale
from trainyard_trainer.tasks import Task, task_of

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 2), dtype=np.uint8)
TABLE = np.array([[1.0, 10.0, 5.0], [3.0, 30.0, 5.0], [5.0, 50.0, 5.0]])


def spec(**fields: Any) -> Model:
    return Model.model_validate({"architecture": "dense"} | fields)


def fit(kind: Kind, features: np.ndarray[Any, Any], channels_first: bool = False) -> Scaling:
    part = whole(Resident(features), np.zeros(len(features), np.int64))
    return scaling_of(kind, moments(part, channels_first))


def schema(*shape: int, classes: int = 2, **more: Any) -> Schema:
    return Schema(shape, Classes(tuple("abcd"[:classes])), **more)


def task(classes: int = 2) -> Task:
    return task_of(Classes(tuple("abcd"[:classes])), Training(), np.arange(classes))


def scaled(kind: Kind, features: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    inputs = keras.Input(features.shape[1:])
    model = keras.Model(inputs, scale(fit(kind, features), inputs))
    return np.asarray(model(features.astype(np.float32)))


def test_standard_scaling_gives_each_channel_zero_mean_and_unit_variance() -> None:
    result = scaled("standard", IMAGES)

    np.testing.assert_allclose(result.mean(axis=(0, 1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=(0, 1, 2)), 1.0, atol=1e-5)


def test_standard_scaling_survives_a_column_that_never_changes() -> None:
    np.testing.assert_allclose(scaled("standard", TABLE)[:, 2], 0.0, atol=1e-6)


def test_a_column_of_tiny_numbers_is_scaled_as_any_other() -> None:
    tiny = np.random.default_rng(1).normal(size=(50, 2)) * [1e-9, 1.0]
    np.testing.assert_allclose(scaled("standard", tiny).std(axis=0), 1.0, rtol=1e-4)


def test_pictures_with_channels_first_are_scaled_by_channel_and_turned_in_the_model() -> None:
    turned = np.moveaxis(IMAGES, -1, 1)
    last = build(spec(architecture="cnn"), schema(8, 8, 2), task(), fit("standard", IMAGES))
    first = build(
        spec(architecture="cnn"),
        schema(2, 8, 8, channels_first=True),
        task(),
        fit("standard", turned, channels_first=True),
    )
    first.set_weights(last.get_weights())

    np.testing.assert_allclose(
        np.asarray(first(turned.astype(np.float32))),
        np.asarray(last(IMAGES.astype(np.float32))),
        atol=1e-5,
    )


def test_minmax_scaling_goes_from_0_to_1() -> None:
    result = scaled("minmax", TABLE)

    np.testing.assert_allclose(result[:, :2], [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]], atol=1e-6)


def test_rescaling_divides_by_255() -> None:
    np.testing.assert_allclose(scaled("rescale", IMAGES), IMAGES / 255.0, rtol=1e-5)


def test_model_takes_raw_rows_and_gives_probabilities() -> None:
    scaling = fit("standard", IMAGES)
    model = build(spec(architecture="cnn"), schema(8, 8, 2, classes=4), task(4), scaling)
    result = np.asarray(model(IMAGES.astype(np.float32)))

    assert result.shape == (40, 4)
    assert model.inputs[0].dtype == "float32"
    np.testing.assert_allclose(result.sum(axis=1), 1.0, rtol=1e-5)


def test_hidden_layers_are_normalised_activated_pooled_and_dropped_in_this_order() -> None:
    model = build(
        spec(
            architecture="cnn",
            cnn={"filters": [4], "units": [6]},
            regularization={"dropout": 0.5, "batchNormalization": True, "l2": 0.1},
        ),
        schema(8, 8, 2),
        task(),
        Scaling("none"),
    )
    kinds = [type(layer).__name__ for layer in model.layers[1:]]

    assert kinds == [
        *("Conv2D", "BatchNormalization", "Activation", "MaxPooling2D", "Dropout", "Flatten"),
        *("Dense", "BatchNormalization", "Activation", "Dropout", "Dense"),
    ]
    assert all(layer.synchronized for layer in model.layers if hasattr(layer, "moving_mean")), (
        "each worker would end with other statistics"
    )
    assert len(model.losses) == 3


def test_dense_flattens_images() -> None:
    assert build(spec(), schema(8, 8, 2), task(), Scaling("none")).layers[1].name == "flatten"


def test_saved_model_file_scales_as_before(tmp_path: Any) -> None:
    model = build(spec(), schema(3), task(), fit("minmax", TABLE))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    raw = TABLE.astype(np.float32)

    np.testing.assert_array_equal(np.asarray(again(raw)), np.asarray(model(raw)))


def test_unknown_activation_lists_those_of_keras() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.model\.activation: rellu.*relu") as caught:
        build(spec(activation="rellu"), schema(3), task(), Scaling("none"))
    assert "tanh" in str(caught.value)
    assert "deserialize" not in str(caught.value)


def test_activation_that_halves_the_width_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.model\.activation: glu"):
        build(spec(activation="glu"), schema(3), task(), Scaling("none"))


def test_cnn_on_a_table_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="needs images"):
        build(spec(architecture="cnn"), schema(3), task(), Scaling("none"))


def test_more_pooling_than_pixels_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="at most 3"):
        build(
            spec(architecture="cnn", cnn={"filters": [1] * 4}),
            schema(8, 8, 1),
            task(),
            Scaling("none"),
        )
