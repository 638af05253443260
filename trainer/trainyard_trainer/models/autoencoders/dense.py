"""Fully connected layers down to a narrow one, and up again."""

from __future__ import annotations

from typing import Any

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.generation.layout import layout_of
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models.autoencoders.autoencoder import (
    check_narrowest,
    latent_layer,
    rebuilt,
)
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.vae import DECODER


class DenseAutoencoder:
    """`dense.units` are the encoder's; the decoder mirrors them."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that the last layer is narrower than a row.

        Raises:
            InvalidSpec: it is not.
        """
        check_narrowest("spec.model.dense.units", spec.dense.units, layout_of(schema).width)

    def body(self, spec: Model, schema: Schema, rows: Any, hidden: Hidden) -> list[Any]:
        """Rows, decoded rows, latents."""
        *wide, narrow = spec.dense.units
        last = hidden.dense_layers(rows, wide, "encoder")
        latents = latent_layer(last, narrow, hidden)
        start = keras.Input((narrow,), name="latent")
        last = hidden.dense_layers(start, reversed(wide), "decoder")
        end = keras.layers.Dense(
            layout_of(schema).width,
            kernel_regularizer=hidden.regularizer(),
            dtype="float32",
            name="rebuilt",
        )(last)
        return rebuilt(rows, latents, keras.Model(start, end, name=DECODER))
