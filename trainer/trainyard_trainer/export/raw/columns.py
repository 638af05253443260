"""Cells of columns to encoded rows, inside a graph, as `trainyard_api.encoding` encodes one row.

What that refuses, the graph refuses for the whole batch, in the same words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
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
    numeric = [place for place, column in enumerate(columns) if column.kind not in _TEXTS]
    textual = [place for place, column in enumerate(columns) if column.kind in _TEXTS]
    numbers, words = [columns[place] for place in numeric], Words()
    coders = [_coder(columns[place], words) for place in textual]
    ordered = [columns[place] for place in (*numeric, *textual)]
    found = [each for c in ordered for each in range(c.first, c.first + c.width)]

    def encode(*tensors: Any) -> Any:
        blocks = [coded(tensors[place]) for coded, place in zip(coders, textual, strict=True)]
        if numeric:
            side_by_side = tf.stack([tensors[place] for place in numeric], axis=1)
            blocks.insert(0, _numbers(numbers, side_by_side))
        return tf.gather(tf.concat(blocks, axis=1), np.argsort(found), axis=1)

    return encode


def _numbers(columns: Sequence[Column], numbers: Any) -> Any:
    """Numbers, times and truth values: float64 (batch, columns) to float32."""
    is_missing = tf.math.is_nan(numbers)
    may_miss = tf.constant([column.fill is not None for column in columns])
    is_truth = tf.constant([column.kind == "boolean" for column in columns])
    known = is_missing | (numbers == 0) | (numbers == 1)
    small = is_missing | (tf.abs(numbers) <= cells.LARGEST)
    for right, message in (
        (may_miss | ~is_missing, "has no value, and in training none was missing; send one"),
        (known | ~is_truth, "is neither true nor false; send 1 or 0"),
        (small, f"is larger than {cells.LARGEST:g}; give it in another unit"),
    ):
        _check(columns, tf.reduce_all(right, axis=0), message)
    shift = tf.constant([column.shift for column in columns], tf.float64)
    return tf.cast(numbers - shift, tf.float32)


def _check(columns: Sequence[Column], right: Any, message: str) -> None:
    """Refuse a batch in which a column is not right: (columns,)."""
    names = tf.constant([column.name for column in columns])
    first = names[tf.argmin(tf.cast(right, tf.int32))]
    told = tf.strings.join(["column ", first, f": a row {message}"])
    tf.debugging.Assert(tf.reduce_all(right), [told])


def _coder(column: Column, words: Words) -> Callable[[Any], Any]:
    """From texts (batch,) to their codes (batch, places)."""
    return _text(column, words) if column.kind == "text" else _category(column)


def _category(column: Column) -> Callable[[Any], Any]:
    # What is missing is in no vocabulary.
    vocabulary = Vocabulary(vocabularies.lookup(column.vocabulary), unknown=0)
    return lambda texts: vocabulary.codes(_trimmed(texts))[:, tf.newaxis]


def _text(column: Column, words: Words) -> Callable[[Any], Any]:
    codes = vocabularies.lookup(column.vocabulary)
    unknown = codes.pop(vocabularies.UNKNOWN)
    vocabulary = Vocabulary({decomposed(word): code for word, code in codes.items()}, unknown)

    def coded(texts: Any) -> Any:
        trimmed = _trimmed(texts)
        missing = tf.reduce_any(trimmed[:, tf.newaxis] == tf.constant([cells.MISSING]), axis=1)
        found = words.of(tf.where(missing, "", trimmed))[:, : column.width]
        known = found.with_flat_values(vocabulary.codes(found.flat_values))
        return known.to_tensor(0.0, shape=(None, column.width))

    return coded


def _trimmed(texts: Any) -> Any:
    """Without white space at both ends, as Python's `str.strip`."""
    space = _white_space()
    return tf.strings.regex_replace(texts, f"^[{space}]+|[{space}]+$", "")


@cache
def _white_space() -> str:
    """All of Unicode's, as Python has it, for a regular expression of RE2."""
    found = (code for code in range(sys.maxunicode + 1) if chr(code).isspace())
    return "".join(f"\\x{{{code:x}}}" for code in found)
