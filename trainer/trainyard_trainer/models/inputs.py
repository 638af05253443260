"""From the encoded row of a table to what the first layer takes.

Filling in, scaling, one-hot and embedding are done by the model itself, so that whoever asks it
needs no more than the numbers of `contract.json`. All of it is Keras' own layers and operations,
which a .keras file loads without Trainyard, and which LiteRT has; it is computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras

from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.models.scaling import Scaling, scale, scaled

_FEW_CATEGORIES: Final = 16
"""Up to so many codes get an input of their own each."""
_WIDEST: Final = 50
_FACTOR: Final = 1.6
_EXPONENT: Final = 0.56
"""Of the rule of thumb for the width of an embedding that fastai has found by experiment."""


@dataclass(frozen=True)
class Series:
    """What recurrent layers take.

    Attributes:
        values: (batch, steps, features).
        mask: which steps count, (batch, steps); None: all. They are the first ones, and at least
            one, which is what cuDNN's kernels ask for.
        beside: what else a row has, (batch, width); None: nothing.
    """

    values: Any
    mask: Any = None
    beside: Any = None


def of_rows(schema: Schema, scaling: Scaling, inputs: Any) -> Any:
    """Scaled rows: (batch, width) of a table, arrays and pictures with their channels last.

    Args:
        inputs: raw rows, float32 (batch, *schema.shape).
    """
    if schema.columns:
        return of_columns(schema.columns, scaling, inputs)
    if schema.channels_first:
        inputs = keras.layers.Permute((2, 3, 1), dtype="float32", name="channels_last")(inputs)
    return scale(scaling, inputs)


def of_array(schema: Schema, scaling: Scaling, inputs: Any) -> Series:
    """The first axis of an array, a picture or a window as steps; what is in one of them, flat."""
    scaled = of_rows(schema, scaling, inputs)
    if schema.steps is not None:
        return Series(scaled)
    steps = schema.picture[0]
    return Series(keras.layers.Reshape((steps, -1), name="steps")(scaled))


def of_text(
    text: Column, columns: Sequence[Column], width: int | None, scaling: Scaling, inputs: Any
) -> Series:
    """The words of a text as steps, and all other columns beside it.

    Args:
        text: one of `columns`.
        width: of what stands for a word; None: by how many words there are.
    """
    different = len(text.vocabulary) + 1
    words = codes(places_of(text, inputs))
    embedding = keras.layers.Embedding(
        different, width or embedding_width(different), dtype="float32", name="words"
    )
    others = [column for column in columns if column is not text]
    beside = of_columns(others, scaling, inputs) if others else None
    return Series(embedding(words), _counting(words, text.width), beside)


def _counting(words: Any, length: int) -> Any:
    """Where there are words. A text without any is one step, which says so."""
    if length == 1:
        return None
    begun = keras.ops.ones_like(words[:, :1])
    return keras.ops.greater(keras.ops.concatenate([begun, words[:, 1:]], axis=1), 0)


def of_columns(columns: Sequence[Column], scaling: Scaling, inputs: Any) -> Any:
    """All columns side by side: (batch, width), or (batch, steps, width) of windows.

    Args:
        scaling: with an entry for each of the `scaled` columns.
        inputs: encoded rows, float32 (batch, places), or windows of them (batch, steps, places).
    """
    numbers = scaled(columns)
    truths = [column for column in columns if column.kind == "boolean"]
    found = []
    if numbers:
        found.append(scale(scaling, filled(picked(inputs, numbers), numbers, "numbers")))
    if truths:
        found.append(filled(picked(inputs, truths), truths, "booleans"))
    for place, column in enumerate(columns):
        name = f"column_{place}"
        if column.kind == "category":
            found.append(_category(codes(places_of(column, inputs)), column, name))
        elif column.kind == "text":
            found.append(_text(codes(places_of(column, inputs)), column, name))
    if len(found) == 1:
        return found[0]
    return keras.layers.Concatenate(name="columns")(found)


def embedding_width(codes: int) -> int:
    """How many numbers stand for one of so many codes."""
    return min(_WIDEST, round(_FACTOR * codes**_EXPONENT))


def picked(inputs: Any, columns: Sequence[Column]) -> Any:
    """The places of columns of one place each. Neighbours are cut out together."""
    runs: list[list[int]] = []
    for column in columns:
        if runs and runs[-1][1] == column.first:
            runs[-1][1] += 1
        else:
            runs.append([column.first, column.first + 1])
    cut = [_places(inputs, first, end) for first, end in runs]
    return cut[0] if len(cut) == 1 else keras.ops.concatenate(cut, axis=-1)


def filled(values: Any, columns: Sequence[Column], name: str) -> Any:
    """The values, with what the columns say in the place of NaN."""
    if all(column.fill is None for column in columns):
        return values
    fills = [column.fill or 0.0 for column in columns]
    # NaN is the number that differs from itself; LiteRT has no other way to find it.
    absent = keras.ops.not_equal(values, values)
    fill = keras.layers.Rescaling(fills, dtype="float32", name=f"{name}_fill")
    return keras.ops.add(
        keras.ops.where(absent, 0.0, values), fill(keras.ops.cast(absent, "float32"))
    )


def places_of(column: Column, inputs: Any) -> Any:
    """All places of one column: (batch, width), or (batch, steps, width)."""
    return _places(inputs, column.first, column.first + column.width)


def _places(inputs: Any, first: int, end: int) -> Any:
    """Of the last axis."""
    return inputs[(*(slice(None),) * (len(inputs.shape) - 1), slice(first, end))]


def codes(values: Any) -> Any:
    """Codes, which rows have as float32."""
    return keras.ops.cast(values, "int32")


def _category(codes: Any, column: Column, name: str) -> Any:
    different = len(column.vocabulary) + 1
    flat = keras.ops.squeeze(codes, axis=-1)
    if different <= _FEW_CATEGORIES:
        return keras.ops.one_hot(flat, different)
    width = embedding_width(different)
    return keras.layers.Embedding(different, width, dtype="float32", name=f"{name}_embedding")(flat)


def _text(codes: Any, column: Column, name: str) -> Any:
    """The mean of what stands for the words; 0 for a text without any."""
    different = len(column.vocabulary) + 1
    width = embedding_width(different)
    embedding = keras.layers.Embedding(different, width, dtype="float32", name=f"{name}_embedding")
    present = keras.ops.cast(keras.ops.greater(codes, 0), "float32")
    words = keras.ops.multiply(embedding(codes), keras.ops.expand_dims(present, -1))
    count = keras.ops.maximum(keras.ops.sum(present, axis=1, keepdims=True), 1.0)
    return keras.ops.divide(keras.ops.sum(words, axis=1), count)
