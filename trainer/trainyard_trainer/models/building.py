"""The model that `spec.model` describes."""

from __future__ import annotations

from typing import Any, Final

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.hidden import Hidden, check_activation
from trainyard_trainer.models.inputs import of_columns
from trainyard_trainer.models.scaling import Scaling, scale
from trainyard_trainer.tasks import Task

INPUT_NAME: Final = "features"


def check(spec: Model, schema: Schema) -> None:
    """Make sure that `build` will succeed, without touching TensorFlow's devices.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check_activation(spec.activation)
    if spec.architecture not in ("dense", "cnn"):
        raise InvalidSpec(
            f"spec.model.architecture: {spec.architecture} is not built yet; use dense or cnn"
        )
    if spec.architecture == "cnn":
        _check_images(spec, schema.picture)


def build(spec: Model, schema: Schema, task: Task, scaling: Scaling) -> keras.Model:
    """A model of raw rows: float32 [batch, *schema.shape] to the task's output.

    Each hidden layer is followed by batch normalisation (if asked for), activation and dropout.

    Args:
        scaling: done inside the model, before its first layer.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check(spec, schema)
    inputs = keras.Input(schema.shape, name=INPUT_NAME, dtype="float32")
    scaled = _prepared(schema, scaling, inputs)
    hidden = Hidden.of(spec)
    last = _cnn(spec, scaled, hidden) if spec.architecture == "cnn" else _dense(scaled)
    units = spec.cnn.units if spec.architecture == "cnn" else spec.dense.units
    for index, width in enumerate(units):
        dense = keras.layers.Dense(width, **hidden.arguments(), name=f"dense_{index}")
        last = hidden.finish(dense(last), dense.name)
    return keras.Model(inputs, task.head(last, hidden.regularizer()), name=spec.architecture)


def _prepared(schema: Schema, scaling: Scaling, inputs: Any) -> Any:
    """What the first layer takes."""
    if schema.columns:
        return of_columns(schema.columns, scaling, inputs)
    if schema.channels_first:
        inputs = keras.layers.Permute((2, 3, 1), name="channels_last")(inputs)
    return scale(scaling, inputs)


def _dense(scaled: Any) -> Any:
    return scaled if len(scaled.shape) == 2 else keras.layers.Flatten(name="flatten")(scaled)


def _cnn(spec: Model, scaled: Any, hidden: Hidden) -> Any:
    last = scaled
    for index, filters in enumerate(spec.cnn.filters):
        convolution = keras.layers.Conv2D(
            filters,
            spec.cnn.kernelSize,
            padding="same",
            **hidden.arguments(),
            name=f"convolution_{index}",
        )
        last = hidden.finish(convolution(last), convolution.name, _pooling(spec, index))
    return keras.layers.Flatten(name="flatten")(last)


def _pooling(spec: Model, index: int) -> keras.layers.Layer | None:
    if spec.cnn.pooling == "none":
        return None
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    return layer[spec.cnn.pooling](2, name=f"pooling_{index}")


def _check_images(spec: Model, input_shape: tuple[int, ...]) -> None:
    if len(input_shape) != 3:
        raise InvalidSpec(
            f"spec.model.architecture: cnn needs images; a row here has the shape {input_shape}. "
            "Use dense"
        )
    side = min(input_shape[:2])
    blocks = len(spec.cnn.filters)
    if spec.cnn.pooling != "none" and side >> blocks == 0:
        fitting = side.bit_length() - 1
        raise InvalidSpec(
            f"spec.model.cnn.filters: {blocks} blocks halve the images of {input_shape[0]}x"
            f"{input_shape[1]} to nothing; use at most {fitting}, or pooling: none"
        )
