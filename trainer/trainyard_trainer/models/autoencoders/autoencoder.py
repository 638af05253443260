"""What every architecture that rebuilds rows answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.generation.layout import layout_of
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.vae import DECODER

_WIDEST: Final = 2**18
"""Places of a row that is laid out: first and last layer have a weight for each of them."""


class Autoencoder(Protocol):
    """A kind of model of laid out rows."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that `body` will succeed, without touching TensorFlow's devices.

        Raises:
            InvalidSpec: it does not fit the data.
        """

    def body(self, spec: Model, schema: Schema, rows: Any, hidden: Hidden) -> list[Any]:
        """Rows, decoded rows, latents and, of variational ones, the logarithms of the latents'
        variances; see `tasks.packing`.

        Args:
            rows: laid out, (batch, layout.width).
        """


def check_rows(schema: Schema) -> None:
    """Make sure that rows of a schema can be rebuilt.

    Raises:
        InvalidSpec: they cannot.
    """
    if texts := [column.name for column in schema.columns if column.kind == "text"]:
        raise InvalidSpec(
            f"spec.data.task: reconstruction cannot rebuild texts ({texts[0]}); let "
            "spec.data.source.features name the other columns"
        )
    if (width := layout_of(schema).width) > _WIDEST:
        raise InvalidSpec(
            f"spec.data.task: reconstruction rebuilds rows of up to {_WIDEST} numbers (a category "
            f"counts as one for each of its values), and rows here have {width}; make pictures "
            "smaller by spec.data.preprocessing.image, or leave out columns"
        )


def check_narrowest(field: str, units: Sequence[int], width: int) -> None:
    """Make sure that the last of the encoder's layers is a bottleneck.

    Args:
        units: of the encoder's fully connected layers.
        width: of a row.

    Raises:
        InvalidSpec: it is none.
    """
    if not units:
        raise InvalidSpec(f"{field}: has no layer for the latent numbers; name one at least")
    if units[-1] != min(units):
        raise InvalidSpec(
            f"{field}: the last layer holds the latent numbers, and {min(units)} before it is "
            "narrower; write the encoder alone, down to the narrowest (the decoder mirrors it)"
        )
    if units[-1] >= width:
        raise InvalidSpec(
            f"{field}: {units[-1]} latent numbers hold a whole row of {width}, and nothing would "
            f"be learned; make the last one smaller than {width}"
        )


def rebuilt(rows: Any, latents: Any, decoder: keras.Model) -> list[Any]:
    """What an autoencoder without distributions gives."""
    assert decoder.name == DECODER
    return [rows, decoder(latents), latents]


def latent_layer(last: Any, width: int, hidden: Hidden) -> Any:
    """The narrowest layer, without an activation: (batch, width)."""
    layer = keras.layers.Dense(
        width, kernel_regularizer=hidden.regularizer(), dtype="float32", name="latent"
    )
    return layer(last)
