"""Tables of csv and parquet: kinds of columns, and rows alike whatever the file."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.trainer.people import KINDS, ROWS, csv_of, data, features, kinds, read, table
from trainyard_trainer.data import load
from trainyard_trainer.data.target import Classes, Quantities


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_kinds_are_told_by_values_whatever_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "people.csv").write_text(csv_of(table(), delimiter))
    dataset = read(tmp_path)
    assert kinds(dataset) == KINDS
    assert dataset.schema.target == Classes(("little", "much"))
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == ROWS


def test_csv_packed_csv_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(csv_of(table()).encode()))
    parquet.write_table(pa.table(table()), tmp_path / "c.parquet")
    rows = [read(tmp_path / name) for name in ("a.csv", "b.csv.gz", "c.parquet")]
    for other in rows[1:]:
        np.testing.assert_array_equal(features(rows[0]), features(other))
        np.testing.assert_array_equal(rows[0].train.targets, other.train.targets)


def test_a_streamed_table_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    resident = read(tmp_path, source={"streaming": "never"})
    streamed = read(tmp_path, source={"streaming": "always"})
    np.testing.assert_array_equal(features(resident), features(streamed))


def test_integers_with_few_values_stay_numbers_and_texts_are_read_by_words(tmp_path: Path) -> None:
    columns = table()
    columns["stars"] = [1 + i % 5 for i in range(ROWS)]
    columns["comment"] = [f"a good thing in many ways{'!' * (i % 3)} {i}" for i in range(ROWS)]
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path)
    assert kinds(dataset) == KINDS | {"stars": "number", "comment": "text"}
    assert dataset.schema.columns[-1].vocabulary[0] == "[UNK]"


def test_kinds_of_the_spec_override_those_of_the_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    dataset = read(tmp_path, source={"columns": {"age": "category", "city": "text"}})
    assert kinds(dataset) == KINDS | {"age": "category", "city": "text"}


@pytest.mark.parametrize(
    ("label", "target"),
    [
        ("height", Quantities(("height",))),
        ("member", Classes(("False", "True"))),
        ("city", Classes(("Oslo", "Paris", "Rome"))),
    ],
)
def test_labels_of_all_sorts_keep_their_names(tmp_path: Path, label: str, target: Any) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    assert read(tmp_path, label).schema.target == target


def test_only_features_that_are_named_are_learned_from(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    assert list(kinds(read(tmp_path, source={"features": ["city", "age"]}))) == ["city", "age"]


def test_times_keep_their_seconds(tmp_path: Path) -> None:
    columns = table() | {"at": [f"2024-01-01T00:{i // 60:02}:{i % 60:02}Z" for i in range(ROWS)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path)
    at = dataset.schema.columns[-1]
    assert np.diff(features(dataset)[:, at.first]).tolist() == pytest.approx([1.0] * (ROWS - 1))


def test_an_index_without_a_name_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of({"": list(range(ROWS))} | table()))
    assert kinds(read(tmp_path)) == KINDS


def test_a_cell_of_several_lines_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    columns = table()
    columns["city"][5] = '"Rome\nand more"'
    (tmp_path / "a.csv").write_text("\ufeff" + csv_of(columns))
    dataset = read(tmp_path)
    assert list(kinds(dataset)) == list(KINDS)
    assert len(dataset.train.source) == ROWS


def test_pyarrow_is_imported_only_where_a_table_is_read() -> None:
    asked = "import sys, trainyard_trainer.data; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_few_numbers_among_names_of_categories_stay_categories(tmp_path: Path) -> None:
    columns = table() | {"children": [("0", "1", "2", "3+")[i % 4] for i in range(ROWS)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    assert kinds(read(tmp_path))["children"] == "category"


def test_categories_beyond_the_most_frequent_are_unknown_with_a_note(tmp_path: Path) -> None:
    rows = 22_000
    columns = table(rows) | {"street": [f"street {i % 10_500}" for i in range(rows)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path)
    street = dataset.schema.columns[-1]
    assert len(street.vocabulary) == 10_000
    assert (features(dataset)[:, street.first] == 0).any()
    assert any("rarest others are unknown" in note for note in dataset.notes)


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    said: list[str] = []
    load(data(tmp_path), {}, said.append)
    assert "reading data: 100 %" in said
