"""Blocks of convolution and pooling over pictures, then fully connected layers."""

from __future__ import annotations

from typing import Any, Final

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.residual import residual

_POOLING: Final = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}


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
        return hidden.dense_layers(flat, spec.cnn.units)


def blocks(spec: Model, scaled: Any, hidden: Hidden) -> Any:
    """What the blocks make of pictures: (batch, height, width, filters)."""
    last = scaled
    for index, filters in enumerate(spec.cnn.filters):
        block, name = (residual, "block") if spec.cnn.residual else (_plain, "convolution")
        last = block(last, filters, spec.cnn.kernelSize, hidden, f"{name}_{index}")
        if spec.cnn.pooling != "none":
            last = _POOLING[spec.cnn.pooling](2, name=f"pooling_{index}")(last)
        last = hidden.dropped(last, f"{name}_{index}")
    return last


def _plain(tensor: Any, filters: int, size: int, hidden: Hidden, name: str) -> Any:
    """One convolution; as `residual`."""
    layer = keras.layers.Conv2D(filters, size, padding="same", **hidden.arguments(), name=name)
    return hidden.activated(hidden.normalized(layer(tensor), name), name)
