"""A variational autoencoder of rows, without a condition."""

from __future__ import annotations

from typing import Any

from trainyard_api.spec import Model
from trainyard_trainer.data.generation.layout import layout_of
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models import vae
from trainyard_trainer.models.hidden import Hidden


class VariationalAutoencoder:
    """`vae.units` are the encoder's; the decoder mirrors them."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Nothing to refuse: the KL divergence keeps latents from holding all of a row."""

    def body(self, spec: Model, schema: Schema, rows: Any, hidden: Hidden) -> list[Any]:
        """Rows, decoded rows, means of latents and the logarithms of their variances."""
        layout = layout_of(schema)
        mean, log_variance = vae.encoded(spec.vae, rows, hidden)
        latent = vae.Sampling(name="sampling")(mean, log_variance)
        decoder = vae.decoder_of(spec.vae, layout.width, layout.numbers, hidden)
        return [rows, decoder(latent), mean, log_variance]
