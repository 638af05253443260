"""Blocks of convolution and pooling down to a narrow layer, and up again."""

from __future__ import annotations

import math
from typing import Any

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.autoencoders.autoencoder import (
    check_narrowest,
    latent_layer,
    rebuilt,
)
from trainyard_trainer.models.cnn import Cnn, blocks
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.vae import DECODER


class CnnAutoencoder:
    """`cnn.filters` and `cnn.units` are the encoder's; the decoder mirrors them."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that rows are pictures that blocks halve without a rest, and that the last
        layer is narrower than one.

        Raises:
            InvalidSpec: they are not.
        """
        Cnn().check(spec, schema)
        if spec.cnn.globalPooling:
            raise InvalidSpec(
                "spec.model.cnn.globalPooling: leaves nothing of where things are, which a decoder "
                "has to know; leave it out"
            )
        picture, halved = schema.picture, _halved(spec)
        if any(side % 2**halved for side in picture[:2]):
            fitting = min(_twos(side) for side in picture[:2])
            raise InvalidSpec(
                f"spec.model.cnn.filters: {halved} blocks halve pictures of {picture[0]}x"
                f"{picture[1]} with a rest, and could not rebuild them; use at most {fitting}, "
                "pooling: none, or another size by spec.data.preprocessing.image"
            )
        check_narrowest("spec.model.cnn.units", spec.cnn.units, math.prod(picture))

    def body(self, spec: Model, schema: Schema, rows: Any, hidden: Hidden) -> list[Any]:
        """Rows, decoded rows, latents."""
        *wide, narrow = spec.cnn.units
        pictures = keras.layers.Reshape(schema.picture, name="pictures")(rows)
        last = keras.layers.Flatten(name="flatten")(blocks(spec, pictures, hidden))
        last = hidden.dense_layers(last, wide, "encoder")
        return rebuilt(rows, latent_layer(last, narrow, hidden), _decoder(spec, schema, hidden))


def _decoder(spec: Model, schema: Schema, hidden: Hidden) -> keras.Model:
    *wide, narrow = spec.cnn.units
    height, width, channels = schema.picture
    first = (height >> _halved(spec), width >> _halved(spec), spec.cnn.filters[-1])
    start = keras.Input((narrow,), name="latent")
    last = hidden.dense_layers(start, reversed(wide), "decoder")
    last = hidden.dense(last, math.prod(first), "decoder_maps")
    last = keras.layers.Reshape(first, name="maps")(last)
    for index, filters in enumerate(reversed(spec.cnn.filters)):
        if spec.cnn.pooling != "none":
            # Keras' UpSampling2D repeats rows by a number that LiteRT's converter cannot tell.
            size = (2 * last.shape[1], 2 * last.shape[2])
            last = keras.layers.Resizing(*size, interpolation="nearest", name=f"doubling_{index}")(
                last
            )
        name = f"decoder_convolution_{index}"
        layer = keras.layers.Conv2D(
            filters, spec.cnn.kernelSize, padding="same", **hidden.arguments(), name=name
        )
        last = hidden.finish(layer(last), name)
    layer = keras.layers.Conv2D(
        channels,
        spec.cnn.kernelSize,
        padding="same",
        kernel_regularizer=hidden.regularizer(),
        dtype="float32",
        name="rebuilt",
    )
    end = keras.layers.Flatten(dtype="float32", name="rows")(layer(last))
    return keras.Model(start, end, name=DECODER)


def _halved(spec: Model) -> int:
    """How often a picture is halved."""
    return 0 if spec.cnn.pooling == "none" else len(spec.cnn.filters)


def _twos(side: int) -> int:
    """How often a side can be halved without a rest."""
    return (side & -side).bit_length() - 1
