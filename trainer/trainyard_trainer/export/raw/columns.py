"""Cells of columns to encoded rows, inside a graph, as `trainyard_api.encoding` encodes one row.

What that refuses, the graph refuses for the whole batch, in the same words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import tensorflow as tf

from trainyard_api import cells
from trainyard_trainer.data import words as vocabularies
from trainyard_trainer.data.schema import Column
from trainyard_trainer.export.raw.characters import decomposed
from trainyard_trainer.export.raw.vocabulary import Vocabulary
from trainyard_trainer.export.raw.words import Words

_TEXTS: Final = ("category", "text")


def type_of(column: Column) -> tf.DType:
    """Of a column's input: texts are strings, all else is float64, NaN where nothing is.

    Truth values are numbers as well, 0 and 1: a TensorFlow bool is never missing.
    """
    return tf.string if column.kind in _TEXTS else tf.float64


def encoder(columns: Sequence[Column]) -> Callable[..., Any]:
    """Encodes cells: a tensor of shape (batch,) for each column, to float32 (batch, places)."""
    makers = {"category": _category, "text": _text, "boolean": _truths}
    words = Words()
    encoders = [makers.get(column.kind, _numbers)(column, words) for column in columns]

    def encode(*tensors: Any) -> Any:
        places = [encoded(tensor) for encoded, tensor in zip(encoders, tensors, strict=True)]
        return tf.concat(places, axis=1)

    return encode


def _numbers(column: Column, _: Words) -> Callable[[Any], Any]:
    def encoded(numbers: Any) -> Any:
        _check_present(column, numbers)
        small = tf.abs(numbers) <= cells.LARGEST
        message = f"is larger than {cells.LARGEST:g}; give it in another unit"
        _check(column, small | tf.math.is_nan(numbers), message)
        shifted = numbers - tf.constant(column.shift, tf.float64)
        return tf.cast(shifted, tf.float32)[:, tf.newaxis]

    return encoded


def _truths(column: Column, _: Words) -> Callable[[Any], Any]:
    def encoded(truths: Any) -> Any:
        _check_present(column, truths)
        known = (truths == 0) | (truths == 1) | tf.math.is_nan(truths)
        _check(column, known, "is neither true nor false; send 1 or 0")
        return tf.cast(truths, tf.float32)[:, tf.newaxis]

    return encoded


def _category(column: Column, _: Words) -> Callable[[Any], Any]:
    # What is missing is in no vocabulary.
    vocabulary = Vocabulary(vocabularies.lookup(column.vocabulary), unknown=0)
    return lambda texts: vocabulary.codes(_trimmed(texts))[:, tf.newaxis]


def _text(column: Column, words: Words) -> Callable[[Any], Any]:
    codes = vocabularies.lookup(column.vocabulary)
    unknown = codes.pop(vocabularies.UNKNOWN)
    vocabulary = Vocabulary({decomposed(word): code for word, code in codes.items()}, unknown)

    def encoded(texts: Any) -> Any:
        trimmed = _trimmed(texts)
        missing = tf.reduce_any(trimmed[:, tf.newaxis] == tf.constant([cells.MISSING]), axis=1)
        found = words.of(tf.where(missing, "", trimmed))[:, : column.width]
        coded = found.with_flat_values(vocabulary.codes(found.flat_values))
        return coded.to_tensor(0.0, shape=(None, column.width))

    return encoded


def _check_present(column: Column, numbers: Any) -> None:
    if column.fill is None:
        message = "has no value, and in training none was missing; send one"
        _check(column, ~tf.math.is_nan(numbers), message)


def _check(column: Column, right: Any, message: str) -> None:
    tf.debugging.Assert(tf.reduce_all(right), [f"column {column.name}: a row {message}"])


def _trimmed(texts: Any) -> Any:
    """Without white space at both ends, as Python's `str.strip`."""
    space = _white_space()
    return tf.strings.regex_replace(texts, f"^[{space}]+|[{space}]+$", "")


@cache
def _white_space() -> str:
    """All of Unicode's, as Python has it, for a regular expression of RE2."""
    found = (code for code in range(sys.maxunicode + 1) if chr(code).isspace())
    return "".join(f"\\x{{{code:x}}}" for code in found)
