"""Tables of csv and parquet, from files to parts."""

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

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidData

ROWS = 200


def table(rows: int = ROWS) -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    ages = random.integers(18, 90, rows)
    return {
        "age": ages.tolist(),
        "height": random.normal(170, 9, rows).round(2).tolist(),
        "city": random.choice(["Rome", "Oslo", "Paris"], rows).tolist(),
        "member": random.choice([True, False], rows).tolist(),
        "since": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(rows)],
        "bought": np.where(ages > 50, "much", "little").tolist(),
    }


def csv_of(columns: dict[str, list[Any]], delimiter: str = ",") -> str:
    lines = [delimiter.join(columns)]
    lines += [delimiter.join(map(str, cells)) for cells in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def data(path: Path | str, /, label: str | None = "bought", **fields: Any) -> Data:
    source = {"uri": f"file://{path}", "label": label} | fields.pop("source", {})
    return Data.model_validate({"source": source} | fields)


def read(path: Path | str, /, label: str | None = "bought", **fields: Any) -> Dataset:
    return load(data(path, label, **fields), {})


def kinds(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in dataset.schema.columns}


def features(dataset: Dataset) -> np.ndarray:
    """Of all rows, in the order of the source."""
    return dataset.train.source.take(np.arange(len(dataset.train.source), dtype=np.int64))


KINDS = {
    "age": "number",
    "height": "number",
    "city": "category",
    "member": "boolean",
    "since": "time",
}


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


def test_many_files_folders_globs_and_partitions_make_one_table(tmp_path: Path) -> None:
    columns = table()
    for year in ("2023", "2024"):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        parquet.write_table(pa.table(columns), folder / "part-0.parquet")
    (tmp_path / "_SUCCESS").touch()
    dataset = read(tmp_path)
    assert kinds(dataset) == KINDS | {"year": "number"}
    assert len(dataset.train.source) == 2 * ROWS
    flat = tmp_path / "year=2024"
    parquet.write_table(pa.table(columns), flat / "part-1.parquet")
    parquet.write_table(pa.table(columns), flat / "old-1.parquet")
    assert len(read(flat / "part-*.parquet").train.source) == 2 * ROWS


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "val.csv", "test.csv"),
        ("train/0.csv", "validation/0.csv", "test/0.csv"),
        ("data-train-0.csv", "data-dev-0.csv", "data-test-0.csv"),
    ],
)
def test_parts_that_the_source_brings_are_kept(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, rows in zip(names, (ROWS, 50, 60), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(csv_of(table(rows)))
    dataset = read(tmp_path)
    parts = (dataset.train, dataset.validation, dataset.test)
    assert [len(part) for part in parts] == [ROWS, 50, 60]


def test_a_file_beside_train_and_test_is_left_out_with_a_note(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv", "sample_submission.csv"):
        (tmp_path / name).write_text(csv_of(table()))
    dataset = read(tmp_path)
    assert any(note.startswith("sample_submission.csv: left out") for note in dataset.notes)


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


def test_rows_of_a_group_stay_together_and_the_group_is_not_learned(tmp_path: Path) -> None:
    columns = table() | {"family": [f"f{i % 37}" for i in range(ROWS)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path, split={"groups": "family"})
    assert "family" not in kinds(dataset)
    parts = [
        {int(number) % 37 for number in part.numbers}
        for part in (dataset.train, dataset.validation, dataset.test)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 37


def test_test_rows_come_after_training_rows(tmp_path: Path) -> None:
    columns = table() | {"at": [f"2024-01-01T00:{i // 60:02}:{i % 60:02}Z" for i in range(ROWS)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path, split={"time": "at"})
    assert dataset.train.numbers.max() < dataset.validation.numbers.min()
    assert dataset.validation.numbers.max() < dataset.test.numbers.min()


def test_statistics_and_vocabularies_come_from_the_training_part_alone(tmp_path: Path) -> None:
    columns = table()
    (tmp_path / "train.csv").write_text(csv_of(columns))
    columns["city"] = ["Nowhere"] * ROWS
    columns["age"] = [1000] * ROWS
    (tmp_path / "test.csv").write_text(csv_of(columns))
    dataset = read(tmp_path)
    age, _, city, *_ = dataset.schema.columns
    assert age.spread is not None
    assert age.spread.highest < 100
    assert city.vocabulary == ("Oslo", "Paris", "Rome")
    assert (dataset.test.features()[:, city.first] == 0).all()


def test_times_keep_their_seconds(tmp_path: Path) -> None:
    columns = table() | {"at": [f"2024-01-01T00:{i // 60:02}:{i % 60:02}Z" for i in range(ROWS)]}
    (tmp_path / "a.csv").write_text(csv_of(columns))
    dataset = read(tmp_path)
    at = dataset.schema.columns[-1]
    assert np.diff(features(dataset)[:, at.first]).tolist() == pytest.approx([1.0] * (ROWS - 1))


class TestMissing:
    def write(self, folder: Path) -> None:
        columns = table()
        columns["age"][3] = columns["age"][9] = "NA"
        columns["city"][9] = ""
        (folder / "a.csv").write_text(csv_of(columns))

    def test_are_refused_with_columns_counts_and_the_first_row(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        with pytest.raises(InvalidData, match=r"cleaning\.missing.*age in 2 rows.*row 5 \(the"):
            read(tmp_path)

    @pytest.mark.parametrize(
        ("missing", "fill"),
        [
            ({"strategy": "mean"}, np.mean),
            ({"strategy": "median"}, np.median),
            ({"strategy": "constant", "fill": -1.0}, lambda _: -1.0),
        ],
    )
    def test_numbers_are_filled_by_the_training_part(
        self, tmp_path: Path, missing: dict[str, Any], fill: Any
    ) -> None:
        self.write(tmp_path)
        dataset = read(tmp_path, cleaning={"missing": missing})
        ages = dataset.train.features()[:, 0]
        known = ages[~np.isnan(ages)].astype(np.float64)
        assert dataset.schema.columns[0].fill == pytest.approx(float(fill(known)))
        assert np.isnan(features(dataset)[3, 0])
        assert features(dataset)[9, 2] == 0

    def test_rows_are_dropped_in_every_part(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        content = (tmp_path / "a.csv").read_text().rpartition(",")[0] + ",\n"
        (tmp_path / "a.csv").write_text(content)
        dataset = read(tmp_path, cleaning={"missing": {"strategy": "drop"}})
        assert len(dataset.train.source) == ROWS - 3
        assert "1 rows without a label are dropped" in dataset.notes
        assert any(note.startswith("2 of 199 rows") for note in dataset.notes)


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


def test_a_folds_validation_is_another_in_each_fold(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    folds = [read(tmp_path, fold={"index": i, "of": 3}) for i in range(3)]
    numbers = np.concatenate([fold.validation.numbers for fold in folds])
    assert len(np.unique(numbers)) == len(numbers) == ROWS - len(folds[0].test)


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    said: list[str] = []
    load(data(tmp_path), {}, said.append)
    assert said[-1] == "reading data: 100 %"
