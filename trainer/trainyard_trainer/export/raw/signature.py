"""The SavedModel's second signature: rows as callers have them.

`serving_default` takes encoded rows: compression converts it, and LiteRT has no texts. Whoever
serves the SavedModel itself would have to encode rows by contract.json; `serving_raw` does it for
them. All that it needs are constants in functions of its own. A `StaticHashTable` would be one
more thing that the SavedModel sets up when it is loaded, whichever signature is asked for, and
LiteRT's converter, which takes that in, refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf

from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes, SeveralLabels
from trainyard_trainer.export.raw import columns
from trainyard_trainer.export.raw.names import input_names
from trainyard_trainer.models.building import INPUT_NAME

CLASSES: Final = "classes"
"""The output with the classes' names, as tables' models of TensorFlow have it."""


@dataclass(frozen=True)
class RawRows:
    """Rows as callers have them, and how they are encoded.

    Attributes:
        inputs: of the signature, in their order.
        encode: inside a graph: from those tensors to float32 rows (batch, *row).
        classes: names of classes or labels, in the order of the probabilities; empty: none are
            learned.
    """

    inputs: tuple[tf.TensorSpec, ...]
    encode: Callable[..., Any]
    classes: tuple[str, ...] = ()

    def answer(self, model: Callable[[Any], Mapping[str, Any]]) -> Any:
        """The signature.

        Args:
            model: inside a graph: what the model answers to encoded rows, by its outputs' names.
        """

        def answer(*cells: Any) -> dict[str, Any]:
            rows = self.encode(*cells)
            answers = dict(model(rows))
            if self.classes:
                names = tf.constant([self.classes])
                answers[CLASSES] = tf.repeat(names, tf.shape(rows)[0], axis=0)
            return answers

        return tf.function(answer, input_signature=list(self.inputs), autograph=False)


def raw_rows(schema: Schema) -> RawRows | None:
    """How callers have rows of these data; None where the model takes them as they are.

    A table has an input of shape (batch,) for each column, and of windows (batch, steps). An array
    of which something is taken off has one input in float64, since float32 would round it first.
    Any other array is what the model takes, and so is a picture: whoever has a file decodes it, as
    for the endpoint.
    """
    target = schema.target
    classes = target.names if isinstance(target, (Classes, SeveralLabels)) else ()
    if schema.columns:
        encode = columns.encoder(schema.columns)
        if schema.steps is not None:
            encode = _windows(schema.shape, encode)
        return RawRows(_inputs(schema.columns, schema.steps), encode, classes)
    if not schema.shift:
        return None
    rows = tf.TensorSpec((None, *schema.shape), tf.float64, name=INPUT_NAME)
    return RawRows((rows,), _shifted(schema.shift), classes)


def _inputs(of: tuple[Column, ...], steps: int | None) -> tuple[tf.TensorSpec, ...]:
    shape = (None,) if steps is None else (None, steps)
    names = input_names([column.name for column in of])
    return tuple(
        tf.TensorSpec(shape, columns.type_of(column), name=name)
        for column, name in zip(of, names, strict=True)
    )


def _windows(shape: tuple[int, ...], encode: Callable[..., Any]) -> Callable[..., Any]:
    """Encodes cells of windows, (batch, steps) for each column, step by step."""
    return lambda *cells: tf.reshape(
        encode(*(tf.reshape(each, [-1]) for each in cells)), (-1, *shape)
    )


def _shifted(shift: tuple[float, ...]) -> Callable[[Any], Any]:
    return lambda rows: tf.cast(rows - tf.constant(shift, tf.float64), tf.float32)
