"""From a model's input to what an autoencoder rebuilds: rows laid out, numbers first."""

from __future__ import annotations

from typing import Any

import keras

from trainyard_trainer.data.generation.layout import codes_of
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models.inputs import codes, filled, of_rows, picked, places_of
from trainyard_trainer.models.scaling import Scaling, scale, scaled


def laid_out(schema: Schema, scaling: Scaling, inputs: Any) -> Any:
    """Scaled numbers, then 1 in the place of each category's code: (batch, layout.width).

    Args:
        inputs: encoded rows, float32 (batch, *row).
    """
    if schema.columns:
        return _of_columns(schema, scaling, inputs)
    return keras.layers.Flatten(name="laid_out")(of_rows(schema, scaling, inputs))


def _of_columns(schema: Schema, scaling: Scaling, inputs: Any) -> Any:
    numbers = scaled(schema.columns)
    found = []
    if numbers:
        found.append(scale(scaling, filled(picked(inputs, numbers), numbers, "numbers")))
    for place, column in enumerate(schema.columns):
        if different := codes_of(column):
            known = filled(places_of(column, inputs), [column], f"column_{place}")
            flat = keras.ops.squeeze(codes(known), axis=1)
            found.append(keras.ops.one_hot(flat, different, dtype="float32"))
    if len(found) == 1:
        return found[0]
    return keras.layers.Concatenate(name="laid_out")(found)
