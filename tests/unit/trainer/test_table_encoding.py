"""A row is encoded alike by the trainer, in bulk, and by whoever serves, one at a time."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_api.contract import ColumnContract
from trainyard_api.encoding import Encoder, WrongRow
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.tables import values
from trainyard_trainer.data.tables.encoding import Encoding
from trainyard_trainer.data.tables.survey import PARSERS
from trainyard_trainer.data.target import Classes
from trainyard_trainer.export.contract import contract_of

COLUMNS = (
    Column("age", "number", 0, shift=3.25, fill=0.0),
    Column("kind", "category", 1, vocabulary=("3", "a", "b c", "true")),
    Column("member", "boolean", 2, fill=1.0),
    Column("since", "time", 3, shift=1.7e9 + 1 / 3, fill=0.0),
    Column("comment", "text", 4, 3, vocabulary=("[UNK]", "dont", "good", "über")),
)
CONTRACT = contract_of(
    Schema((7,), Classes(("no", "yes")), COLUMNS),
    "probabilities",
    np.zeros((3, 7), np.float32),
    np.zeros((3, 2), np.float32),
).input.columns
MISSING = st.sampled_from([None, "", "NA", " nan "])
NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15).map(str),
    st.floats(-1e17, 1e17).map(repr),
    st.sampled_from(["+5", " 7 ", ".5", "5.", "1E3"]),
)
TEXTS = st.one_of(
    st.sampled_from(["a", "b c", " a ", "true", "3", "3.0", "Don't", "good, ÜBER good"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
)
TRUTHS = st.sampled_from(["true", "False", "YES", "n", "1", "0", " t "])
TIMES = st.one_of(
    st.datetimes(
        min_value=datetime(1900, 1, 1),
        max_value=datetime(2200, 1, 1),
    ).map(lambda at: at.isoformat()),
    st.dates(
        min_value=date(1900, 1, 1),
        max_value=date(2200, 1, 1),
    ).map(str),
    st.sampled_from(
        [
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04+02:00",
            "2024-01-02T03:04:05.123456789-0530",
            "1700000000.5",
            "2024-02-30",
        ]
    ),
)


def table_rows() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    row = st.tuples(
        NUMBERS | MISSING, TEXTS | MISSING, TRUTHS | MISSING, TIMES | MISSING, TEXTS | MISSING
    )
    return st.lists(row, min_size=1, max_size=20)


def in_bulk(rows: list[tuple[Any, ...]]) -> np.ndarray:
    cells = {
        column.name: values.plain(pa.array([row[i] for row in rows], pa.string()))
        for i, column in enumerate(COLUMNS)
    }
    return Encoding(COLUMNS).encode(cells, len(rows))


@given(rows=table_rows())
@settings(max_examples=200, deadline=None)
def test_training_and_serving_encode_a_row_alike(rows: list[tuple[Any, ...]]) -> None:
    encoder, bulk = Encoder(CONTRACT), in_bulk(rows)
    for row, encoded in zip(rows, bulk, strict=True):
        if row[3] == "2024-02-30":
            with pytest.raises(WrongRow, match="column since: '2024-02-30' is no time"):
                encoder.encode(row)
            continue
        np.testing.assert_array_equal(np.array(encoder.encode(row), np.float32), encoded)


@given(cells=st.lists(TEXTS | NUMBERS | TIMES | TRUTHS | MISSING, min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_what_is_a_wrong_cell_in_training_is_refused_in_serving(cells: list[Any]) -> None:
    for column, contract in zip(COLUMNS, CONTRACT, strict=True):
        if column.kind not in PARSERS:
            continue
        parsed = PARSERS[column.kind](values.plain(pa.array(cells, pa.string())))
        encoder = Encoder([contract])
        for cell, wrong in zip(cells, parsed.wrong, strict=True):
            if wrong:
                with pytest.raises(WrongRow, match=f"column {column.name}"):
                    encoder.encode([cell])
            else:
                encoder.encode({column.name: cell})


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("number", [1, 2.5, None, math.nan]),
        ("number", [True, False]),
        ("category", [3, 4, None]),
        ("category", [3.0, 2.5]),
        ("category", [True, False]),
        ("boolean", [0, 1, None]),
        ("time", [1.7e9, None]),
    ],
)
def test_typed_cells_are_encoded_alike_too(kind: str, cells: list[Any]) -> None:
    column = next(each for each in COLUMNS if each.kind == kind)
    contract = next(each for each in CONTRACT if each.kind == kind)
    alone = Column(
        column.name, column.kind, 0, 1, column.shift, column.fill, column.vocabulary, None
    )
    bulk = Encoding([alone]).encode({column.name: values.plain(pa.array(cells))}, len(cells))
    encoder = Encoder([contract])
    single = np.array([encoder.encode([cell]) for cell in cells], np.float32)
    np.testing.assert_array_equal(single, bulk)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": 1}, "lacks the column kind, member, since, comment; send null"),
        ({"agee": 1}, "takes no column agee; it takes age, kind"),
        ([1, 2], "has 2 cells, and the model takes 5 columns"),
        ("age", "a row is an object or a list, not 'age'"),
        (["x", "a", True, 0, ""], "column age: 'x' is no number"),
        ([1e300, "a", True, 0, ""], "column age: .* is larger than 1e\\+18"),
        ([1, "a", 2, 0, ""], "column member: 2 is neither true nor false"),
        ([1, [], True, 0, ""], r"column kind: \[\] is no cell"),
    ],
)
def test_a_row_that_cannot_be_encoded_names_the_column(row: Any, message: str) -> None:
    with pytest.raises(WrongRow, match=message):
        Encoder(CONTRACT).encode(row)


def test_a_gap_is_refused_where_training_had_none() -> None:
    with pytest.raises(WrongRow, match="column age: has no value"):
        Encoder([ColumnContract(name="age", kind="number")]).encode([None])
