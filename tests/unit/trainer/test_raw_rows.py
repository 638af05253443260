"""Rows as callers have them, encoded inside a graph as an `Encoder` encodes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_api.encoding import Encoder
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.export.contract import contract_of
from trainyard_trainer.export.raw import RawRows, raw_rows
from trainyard_trainer.export.raw.vocabulary import Vocabulary

COLUMNS = (
    Column("age", "number", 0, shift=3.25, fill=0.0),
    Column("kind", "category", 1, vocabulary=("3", "a", "b c", "true", "Zürich", "x\ny")),
    Column("member", "boolean", 2, fill=1.0),
    Column("since", "time", 3, shift=1.7e9 + 1 / 3, fill=0.0),
    Column("comment", "text", 4, 3, vocabulary=("[UNK]", "dont", "good", "über", "na", "ẖ")),
    Column("account", "number", 7, shift=9e14 + 7.0, fill=None),
)
SCHEMA = Schema((8,), Classes(("no", "yes")), COLUMNS)
CONTRACT = contract_of(
    SCHEMA, "probabilities", np.zeros((3, 8), np.float32), np.zeros((3, 2), np.float32)
).input.columns
TEXTS = st.one_of(
    st.sampled_from(["a", "b c", "\u2003a ", "true", "3", "3.0", "x\ny", "Zu\u0308rich", "Zürich"]),
    st.sampled_from(["Don't", "good, ÜBER good", "U\u0308BER na", "H\u0331 ẖ", "unknown"]),
    st.sampled_from(["", "NA", " nan ", "\x1fnull\x85", "none", "N/A"]),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
NUMBERS = st.one_of(st.floats(-1e18, 1e18), st.integers(-(10**15), 10**15).map(float))
ROWS = st.lists(
    st.tuples(
        NUMBERS | st.just(math.nan),
        TEXTS,
        st.sampled_from([0.0, 1.0, math.nan]),
        NUMBERS | st.just(math.nan),
        TEXTS,
        NUMBERS,
    ),
    min_size=1,
    max_size=20,
)


Encode = Callable[[Sequence[tuple[Any, ...]]], np.ndarray]


@pytest.fixture(scope="module")
def raw() -> RawRows:
    found = raw_rows(SCHEMA)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def encode(raw: RawRows) -> Encode:
    """What the model would be given for rows."""
    answer = raw.answer(lambda places: {"rows": places})

    def of_rows(rows: Sequence[tuple[Any, ...]]) -> np.ndarray:
        tensors = [
            tf.constant([row[place] for row in rows], spec.dtype)
            for place, spec in enumerate(raw.inputs)
        ]
        return np.asarray(answer(*tensors)["rows"])

    return of_rows


@given(rows=ROWS)
@settings(max_examples=200, deadline=None)
def test_the_graph_encodes_as_serving_does(encode: Encode, rows: list[tuple[Any, ...]]) -> None:
    encoder = Encoder(CONTRACT)
    single = np.array([encoder.encode(row) for row in rows], np.float32)
    np.testing.assert_array_equal(encode(rows), single)


def test_what_tells_wide_numbers_apart_is_kept(encode: Encode) -> None:
    rows = [(0.0, "a", 1.0, 1.7e9 + 1 / 3 + second, "", 9e14 + 8.0) for second in (0.25, 0.5)]
    found = encode(rows)
    np.testing.assert_allclose(found[:, 3], [0.25, 0.5], atol=1e-6)
    assert found[:, 7].tolist() == [1.0, 1.0]


def test_no_row_is_a_batch_as_well(encode: Encode) -> None:
    assert encode([]).shape == (0, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({5: math.nan}, "column account: a row has no value, and in training none was missing"),
        ({0: 2e18}, r"column age: a row is larger than 1e\+18; give it in another unit"),
        ({0: -math.inf}, r"column age: a row is larger than 1e\+18"),
        ({2: 0.5}, "column member: a row is neither true nor false; send 1 or 0"),
    ],
)
def test_what_serving_refuses_is_refused_and_names_the_column(
    encode: Encode, change: dict[int, float], message: str
) -> None:
    right = (1.0, "a", 1.0, 0.0, "", 9e14)
    wrong = tuple(change.get(place, cell) for place, cell in enumerate(right))
    assert encode([right, right]).shape == (2, 8)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        encode([right, wrong])


def test_classes_come_with_their_probabilities(raw: RawRows) -> None:
    cells = [
        tf.constant(["a"] if spec.dtype == tf.string else [1.0], spec.dtype) for spec in raw.inputs
    ]
    answers = raw.answer(lambda rows: {"probabilities": rows[:, :2]})(*cells)
    assert answers["classes"].numpy().tolist() == [[b"no", b"yes"]]
    quantities = raw_rows(replace(SCHEMA, target=Quantities(("price",))))
    assert quantities is not None
    answers = quantities.answer(lambda rows: {"predictions": rows[:, :1]})(*cells)
    assert set(answers) == {"predictions"}


def test_an_array_is_shifted_before_float32_rounds_it() -> None:
    raw = raw_rows(Schema((2, 2), Quantities(("value",)), shift=(1.7e9, 0.0)))
    assert raw is not None
    [spec] = raw.inputs
    assert (spec.name, spec.dtype, spec.shape.as_list()) == ("features", tf.float64, [None, 2, 2])
    rows = tf.constant([[[1.7e9 + 60.25, 5.0], [1.7e9 + 61.0, math.nan]]], tf.float64)
    found = np.asarray(raw.answer(lambda places: {"rows": places})(rows)["rows"])
    np.testing.assert_array_equal(found, [[[60.25, 5.0], [61.0, math.nan]]])


@pytest.mark.parametrize("shape", [(4,), (8, 8, 3)])
def test_rows_that_the_model_takes_as_they_are_need_no_second_signature(
    shape: tuple[int, ...],
) -> None:
    assert raw_rows(Schema(shape, Classes(("no", "yes")))) is None


def test_a_vocabulary_finds_its_entries_and_nothing_else() -> None:
    codes = {f"entry {number}": number for number in range(1, 5001)}
    vocabulary = Vocabulary(codes, unknown=0)
    texts = [*codes, "entry 5001", "", "entry 1 "]
    found = vocabulary.codes(tf.constant(texts)).numpy().tolist()
    assert found == [*codes.values(), 0, 0, 0]
    assert Vocabulary({}, unknown=1).codes(tf.constant(["a"])).numpy().tolist() == [1.0]
