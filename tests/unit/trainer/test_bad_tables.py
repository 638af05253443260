"""Tables that are wrong, in part or as a whole: row, column and cure are told."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.trainer.people import ROWS, csv_of, kinds, read, table
from trainyard_trainer.errors import InvalidData


def with_cell(column: str, row: int, cell: str) -> str:
    columns = table()
    columns[column][row] = cell
    return csv_of(columns)


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (with_cell("age", 7, "young"), {}, r"row 9 \(the header is row 1\).*age: 'young' is no n"),
        (with_cell("age", 7, "1,2"), {}, r"row 9 \(the header is row 1\) has 7 cells"),
        (with_cell("age", 7, "inf"), {}, "'inf' is no number"),
        (with_cell("bought", 7, ""), {}, "row 9 .*bought: has no label"),
        (with_cell("since", 7, "2024-02-30"), {}, "'2024-02-30' is no time"),
        (csv_of(table()), {"label": "bougth"}, "no column bougth; did you mean bought.*age, heig"),
        (csv_of(table()), {"label": None}, r"source\.label: is required.*age, height"),
        (csv_of(table()), {"source": {"features": ["agee"]}}, "features.*did you mean age"),
        (csv_of(table()), {"source": {"columns": {"x": "text"}}}, "source.columns.*no column x"),
        (csv_of(table()), {"split": {"groups": "x"}}, "split.groups.*no column x"),
        (csv_of(table()).replace("height", "age", 1), {}, "two columns called age"),
        ("1,2,3\n4,5,6\n", {}, "has no header"),
        ("", {}, "is empty"),
        ("age,bought\n", {}, "has no rows"),
        ("a,bought\n" + "x,1\nx,2\n" * 20, {"source": {"columns": {"a": "number"}}}, "'x' is no"),
        ("id,bought\n" + "".join(f"u{i},{i % 2}\n" for i in range(50)), {}, "no column is left"),
        ("age,bought\n1,yes\n2,yes\n3,yes\n", {}, "all rows have the label yes"),
        ('age,bought\n1,"yes\n' + "2,no\n" * 2_000_000, {}, "quotation mark is not closed"),
    ],
)
def test_a_table_that_cannot_be_learned_from_names_row_column_and_cure(
    tmp_path: Path, content: str, fields: dict[str, Any], message: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InvalidData, match=message):
        read(tmp_path, fields.pop("label", "bought"), **fields)


def test_another_encoding_is_told_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(with_cell("city", 7, "Zürich").encode("latin-1"))
    with pytest.raises(InvalidData, match=r"row 9 .*is no UTF-8; convert"):
        read(tmp_path)
    (tmp_path / "a.csv").write_bytes(csv_of(table()).encode("utf-16"))
    with pytest.raises(InvalidData, match="is UTF-16"):
        read(tmp_path)


def test_what_is_packed_and_cut_off_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(csv_of(table()).encode())[:-20])
    with pytest.raises(InvalidData, match="cannot be unpacked"):
        read(tmp_path)


def test_a_damaged_parquet_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidData, match=r"a\.parquet"):
        read(tmp_path)


def test_a_row_of_parquet_is_named(tmp_path: Path) -> None:
    columns = table()
    columns["height"][4] = float("inf")
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InvalidData, match=r"row 5 \(from 1\).*height: 'inf'"):
        read(tmp_path)


def test_a_test_part_without_the_label_is_told(tmp_path: Path) -> None:
    columns = table()
    (tmp_path / "train.csv").write_text(csv_of(columns))
    del columns["bought"]
    (tmp_path / "test.csv").write_text(csv_of(columns))
    with pytest.raises(InvalidData, match=r"test\.csv has no column bought"):
        read(tmp_path)


def test_bad_rows_up_to_the_limit_are_left_out_and_named(tmp_path: Path) -> None:
    columns = table()
    columns["age"][7], columns["age"][20], columns["bought"][30] = "young", "1,2", ""
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path, source={"maxBadRows": 3})
    assert len(dataset.train.source) == ROWS - 3
    (note,) = [note for note in dataset.notes if "left out (spec" in note]
    # Rows after one that was ragged keep their numbers.
    for row in (9, 22, 32):
        assert f"row {row} (the header is row 1)" in note
    with pytest.raises(InvalidData, match=r"maxBadRows is 2"):
        read(tmp_path, source={"maxBadRows": 2})


@pytest.mark.parametrize(
    ("column", "cells", "note"),
    [
        ("id", [f"user-{i}" for i in range(ROWS)], "id: left out, since each row has another"),
        ("id", list(range(ROWS)), "id: a whole number that differs in every row"),
        ("same", [1] * ROWS, "same: holds the same in every row"),
        ("none", [""] * ROWS, "none: left out, since it holds nothing"),
    ],
)
def test_columns_that_look_wrong_are_told_of(
    tmp_path: Path, column: str, cells: list[Any], note: str
) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table() | {column: cells}))
    dataset = read(tmp_path)
    assert any(each.startswith(note) for each in dataset.notes)
    assert (column in kinds(dataset)) == ("left out" not in note)
