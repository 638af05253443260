"""Recurrent layers over a series, then fully connected layers.

A series is the words of a text, a window of steps, or the first axis of an array. Cells keep what
Keras gives them (tanh and sigmoid, with a bias), which is what cuDNN's kernels need on a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.inputs import Series, of_array, of_text
from trainyard_trainer.models.scaling import Scaling

MOST_CELL_STEPS: Final = 1024
"""Steps of all layers together. The exported graph has a copy of the cell for each, of some 200
bytes an operation, and a conversion takes a second for twenty or so.
"""

_FIELD: Final = "spec.model.rnn"
_ARCHITECTURE: Final = "spec.model.architecture: rnn"
_CELLS: Final[Mapping[str, type[keras.layers.Layer]]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple": keras.layers.SimpleRNN,
}


class Rnn:
    """Takes series: (steps, features), pictures row by row, or the words of a text."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that rows are series, short enough to be written out step by step.

        Raises:
            InvalidSpec: they are not, or something is asked for that recurrent layers have not.
        """
        length = _words(schema).width if _is_text(schema) else _steps(spec, schema)
        directions = 2 if spec.rnn.bidirectional else 1
        asked = length * len(spec.rnn.units) * directions
        if asked > MOST_CELL_STEPS:
            cure = "bring shorter series"
            if schema.columns:
                field = "preprocessing.text" if _is_text(schema) else "window"
                cure = f"make spec.data.{field}.length smaller"
            raise InvalidSpec(
                f"{_FIELD}.units: {len(spec.rnn.units)} layers over {length} steps"
                f"{', both ways,' if spec.rnn.bidirectional else ''} are {asked} steps of cells; "
                f"at most {MOST_CELL_STEPS} can be exported: {cure}, or use fewer layers"
            )
        if spec.regularization.batchNormalization and not spec.rnn.denseUnits:
            raise InvalidSpec(
                "spec.model.regularization.batchNormalization: recurrent layers have none; leave "
                f"it out, or name the fully connected layers behind them in {_FIELD}.denseUnits"
            )

    def prepared(self, spec: Model, schema: Schema, scaling: Scaling, inputs: Any) -> Series:
        """The series of raw rows, with what goes beside it.

        Args:
            inputs: float32 (batch, *schema.shape).
        """
        if _is_text(schema):
            words = _words(schema)
            return of_text(words, schema.columns, spec.rnn.embedding, scaling, inputs)
        return of_array(schema, scaling, inputs)

    def body(self, spec: Model, scaled: Series, hidden: Hidden) -> Any:
        """The last hidden layer's output, (batch, width).

        Of a text this is the state after its last word, whatever its length.
        """
        last = scaled.values
        for index, width in enumerate(spec.rnn.units):
            name = f"recurrent_{index}"
            layer = _CELLS[spec.rnn.cell](
                width,
                return_sequences=index < len(spec.rnn.units) - 1,
                kernel_regularizer=hidden.regularizer(),
                recurrent_regularizer=hidden.regularizer(),
                name=name,
            )
            if spec.rnn.bidirectional:
                layer = keras.layers.Bidirectional(layer, name=f"{name}_both_ways")
            last = hidden.dropped(layer(last, mask=scaled.mask), name)
        if scaled.beside is not None:
            last = keras.layers.Concatenate(name="beside")([last, scaled.beside])
        return hidden.dense_layers(last, spec.rnn.denseUnits)


def _is_text(schema: Schema) -> bool:
    """Whether the series of a row are words: a table's rows have no others but windows."""
    return bool(schema.columns) and schema.steps is None


def _words(schema: Schema) -> Column:
    """The one text among a table's columns.

    Raises:
        InvalidSpec: there is none, or several.
    """
    texts = [column for column in schema.columns if column.kind == "text"]
    if len(texts) == 1:
        return texts[0]
    if not texts:
        raise InvalidSpec(
            f"{_ARCHITECTURE} reads the words of a text or the steps of a series, and this table "
            "has neither; use dense"
        )
    names = ", ".join(column.name for column in texts)
    raise InvalidSpec(
        f"{_ARCHITECTURE} reads one text, and this table has {len(texts)} ({names}); name the "
        "columns to learn from in spec.data.source.features"
    )


def _steps(spec: Model, schema: Schema) -> int:
    """How many steps an array has.

    Raises:
        InvalidSpec: it has none.
    """
    shape = schema.picture
    if len(shape) < 2:
        raise InvalidSpec(
            f"{_ARCHITECTURE} reads series; a row here has the shape {shape}. Bring rows of the "
            "shape (steps, features), or use dense"
        )
    if spec.rnn.embedding is not None:
        raise InvalidSpec(
            f"{_FIELD}.embedding: is of words, and a row here has the shape {shape}; leave it out"
        )
    return shape[0]
