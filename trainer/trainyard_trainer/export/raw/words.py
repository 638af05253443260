"""The words of texts, inside a graph: those that `trainyard_api.words` finds, for all of Unicode.

There, words are in the composed normal form. To compose is to go through a text character by
character; to decompose is a table and a sort, and says as much: two texts are the same composed
where they are the same decomposed. So words here are decomposed ones.

A text is the flat sequence of its characters; those of a whole batch are handled at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import tensorflow as tf

from trainyard_trainer.export.raw.characters import MOST_PIECES, SIGMA, Traits, characters

_SPACE: Final = ord(" ")
_INNER_SIGMA: Final = ord("σ")
_FINAL_SIGMA: Final = ord("ς")
_STROKE: Final = 0x338
"""Makes ≠, ≮ and ≯, which are symbols, of =, < and >, which are taken out."""
_STRUCK: Final = "=<>"
_FLAGS: Final = tuple(each.name for each in fields(Traits) if each.name != "combining")
_CLASSES: Final = 256
"""Canonical combining classes are below."""


@dataclass(frozen=True)
class _Sequence:
    """Characters of texts, one text after the other.

    Attributes:
        codes: int32 (characters,).
        rows: the text that each is of, int64 (characters,), ascending.
    """

    codes: Any
    rows: Any

    def only(self, where: Any) -> _Sequence:
        return _Sequence(tf.boolean_mask(self.codes, where), tf.boolean_mask(self.rows, where))


class _Tables:
    """`Characters` as constants of the graph that is being made, each of which is there once."""

    def __init__(self) -> None:
        known = characters()
        self.changed = tf.constant(known.changed)
        self.becomes = tf.constant(known.becomes)
        self._starts = tf.constant(known.starts)
        self._combining = tf.constant([each.combining for each in known.traits], tf.uint8)
        self._flags = {
            name: tf.constant([getattr(each, name) for each in known.traits], tf.bool)
            for name in _FLAGS
        }

    def combining(self, codes: Any) -> Any:
        """The canonical combining class of each character, int64."""
        return tf.cast(tf.gather(self._combining, self._runs(codes)), tf.int64)

    def has(self, flag: str, codes: Any) -> Any:
        """Which characters have one of `_FLAGS`."""
        return tf.gather(self._flags[flag], self._runs(codes))

    def _runs(self, codes: Any) -> Any:
        return tf.searchsorted(self._starts, codes, side="right") - 1


class Words:
    """Finds the words of texts; however many columns need it, a SavedModel has it once."""

    def __init__(self) -> None:
        texts = tf.TensorSpec((None,), tf.string, name="texts")
        self.of = tf.function(_words_of, input_signature=[texts], autograph=False)
        """Inside a graph: from texts (batch,) to their words, decomposed, ragged (batch, None)."""


def _words_of(texts: Any) -> Any:
    tables = _Tables()
    decoded = tf.strings.unicode_decode(texts, "UTF-8")
    found = _Sequence(decoded.flat_values, decoded.value_rowids())
    found = _in_order(_decomposed(found, tables), tables)
    found = _divided(_in_lower_case(found, tables), tables)
    # What has been taken out may have kept accents apart.
    found = _in_order(found, tables)
    again = tf.RaggedTensor.from_value_rowids(
        found.codes, found.rows, nrows=tf.size(texts, tf.int64), validate=False
    )
    return tf.strings.split(tf.strings.unicode_encode(again, "UTF-8"))


def _decomposed(found: _Sequence, tables: _Tables) -> _Sequence:
    """Decomposed and in lower case, but for Σ, and with accents in any order."""
    codes = found.codes[:, tf.newaxis]
    places = tf.searchsorted(tables.changed, found.codes)
    places = tf.minimum(places, tf.size(tables.changed) - 1)
    is_changed = tf.gather(tables.changed, places)[:, tf.newaxis] == codes
    alone = tf.pad(codes, [[0, 0], [0, MOST_PIECES - 1]], constant_values=-1)
    pieces = tf.where(is_changed, tf.gather(tables.becomes, places), alone)
    pieces = _hangul(codes, pieces)
    present = pieces >= 0
    count = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
    return _Sequence(tf.boolean_mask(pieces, present), tf.repeat(found.rows, count))


def _hangul(codes: Any, pieces: Any) -> Any:
    """Syllables as the letters that they are made of (The Unicode Standard, section 3.12)."""
    syllable = codes - 0xAC00
    last = syllable % 28
    letters = [
        0x1100 + syllable // 588,
        0x1161 + syllable % 588 // 28,
        tf.where(last > 0, 0x11A7 + last, -1),
        tf.fill(tf.shape(codes), -1),
    ]
    is_syllable = (syllable >= 0) & (syllable < 11_172)
    return tf.where(is_syllable, tf.concat(letters, axis=1), pieces)


def _in_order(found: _Sequence, tables: _Tables) -> _Sequence:
    """With the accents of each letter in canonical order; others are hardly ever written."""
    combining = tables.combining(found.codes)
    letter = tf.cumsum(tf.cast(combining == 0, tf.int64)) + found.rows
    keys = letter * _CLASSES + combining
    codes = tf.cond(
        tf.reduce_all(keys[1:] >= keys[:-1]),
        lambda: found.codes,
        lambda: tf.gather(found.codes, tf.argsort(keys, stable=True)),
    )
    return _Sequence(codes, found.rows)


def _in_lower_case(found: _Sequence, tables: _Tables) -> _Sequence:
    """With the right one of σ and ς for each Σ: the latter after a letter and not before one."""
    solid = ~tables.has("ignorable", found.codes)
    letters, rows = found.only(solid).codes, found.only(solid).rows
    cased = tables.has("cased", letters)
    final = _before(cased, rows) & ~_after(cased, rows)
    # By how many solid characters there are up to here; Σ is one.
    place = tf.cumsum(tf.cast(solid, tf.int32))
    is_final = tf.gather(tf.concat([[False], final], axis=0), place)
    small = tf.where(is_final, _FINAL_SIGMA, _INNER_SIGMA)
    return _Sequence(tf.where(found.codes == SIGMA, small, found.codes), found.rows)


def _divided(found: _Sequence, tables: _Tables) -> _Sequence:
    """Without what is taken out, and with a space for whatever divides words."""
    struck = [ord(each) for each in _STRUCK]
    is_symbol = tf.reduce_any(found.codes[:, tf.newaxis] == tf.constant([struck]), axis=1)
    is_symbol &= _after(found.codes == _STROKE, found.rows)
    codes = tf.where(tables.has("divides", found.codes), _SPACE, found.codes)
    stays = ~tables.has("taken_out", found.codes) | is_symbol
    return _Sequence(codes, found.rows).only(stays)


def _before(flags: Any, rows: Any) -> Any:
    """Those of the characters before, in the same text; False where none is."""
    flagged = flags[:-1] & (rows[1:] == rows[:-1])
    return tf.concat([[False], flagged], axis=0)[: tf.size(flags)]


def _after(flags: Any, rows: Any) -> Any:
    """Those of the characters behind, in the same text; False where none is."""
    flagged = flags[1:] & (rows[1:] == rows[:-1])
    return tf.concat([flagged, [False]], axis=0)[: tf.size(flags)]
