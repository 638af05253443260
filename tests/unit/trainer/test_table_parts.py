"""Which rows of a table train, validate and test, and what is learned from which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.trainer.people import KINDS, ROWS, csv_of, kinds, read, table


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
    for name, rows in (("train.csv", 200), ("test.csv", 30), ("sample_submission.csv", 30)):
        (tmp_path / name).write_text(csv_of(table(rows)))
    dataset = read(tmp_path)
    assert any(note.startswith("sample_submission.csv: left out") for note in dataset.notes)


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


def test_a_folds_validation_is_another_in_each_fold(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of(table()))
    folds = [read(tmp_path, fold={"index": i, "of": 3}) for i in range(3)]
    numbers = np.concatenate([fold.validation.numbers for fold in folds])
    assert len(np.unique(numbers)) == len(numbers) == ROWS - len(folds[0].test)


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
