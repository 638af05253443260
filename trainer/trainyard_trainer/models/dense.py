"""Fully connected layers over whatever a row holds."""

from __future__ import annotations

from typing import Any

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models.hidden import Hidden


class Dense:
    """Takes rows of any shape, flat."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Nothing to refuse."""

    def body(self, spec: Model, scaled: Any, hidden: Hidden) -> Any:
        """The last hidden layer's output, (batch, width)."""
        flat = len(scaled.shape) == 2
        last = scaled if flat else keras.layers.Flatten(name="flatten")(scaled)
        return hidden.dense_layers(last, spec.dense.units)
