"""Blocks of convolution and pooling over pictures, then fully connected layers."""

from __future__ import annotations

from typing import Any

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.architecture import dense_layers
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.residual import residual


class Cnn:
    """Takes pictures: height, width, channels."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that rows are pictures, and large enough to be halved by every block.

        Raises:
            InvalidSpec: they are not.
        """
        picture = schema.picture
        if len(picture) != 3:
            raise InvalidSpec(
                f"spec.model.architecture: cnn needs images; a row here has the shape {picture}. "
                "Use dense"
            )
        side = min(picture[:2])
        blocks = len(spec.cnn.filters)
        if spec.cnn.pooling != "none" and side >> blocks == 0:
            fitting = side.bit_length() - 1
            raise InvalidSpec(
                f"spec.model.cnn.filters: {blocks} blocks halve the images of {picture[0]}x"
                f"{picture[1]} to nothing; use at most {fitting}, or pooling: none"
            )

    def body(self, spec: Model, scaled: Any, hidden: Hidden) -> Any:
        """The last hidden layer's output, (batch, width)."""
        last = blocks(spec, scaled, hidden)
        if spec.cnn.globalPooling:
            flat = keras.layers.GlobalAveragePooling2D(name="global_pooling")(last)
        else:
            flat = keras.layers.Flatten(name="flatten")(last)
        return dense_layers(flat, spec.cnn.units, hidden)


def blocks(spec: Model, scaled: Any, hidden: Hidden) -> Any:
    """What the blocks make of pictures: (batch, height, width, filters)."""
    last = scaled
    for index, filters in enumerate(spec.cnn.filters):
        pooling = _pooling(spec, index)
        if spec.cnn.residual:
            name = f"block_{index}"
            last = residual(last, filters, spec.cnn.kernelSize, hidden, name)
            last = hidden.dropped(last if pooling is None else pooling(last), name)
            continue
        convolution = keras.layers.Conv2D(
            filters,
            spec.cnn.kernelSize,
            padding="same",
            **hidden.arguments(),
            name=f"convolution_{index}",
        )
        last = hidden.finish(convolution(last), convolution.name, pooling)
    return last


def _pooling(spec: Model, index: int) -> keras.layers.Layer | None:
    if spec.cnn.pooling == "none":
        return None
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    return layer[spec.cnn.pooling](2, name=f"pooling_{index}")
