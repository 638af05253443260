"""Cleaning acts on the training part alone, and tells what it found."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainyard_api.contract import Contract, InputContract, OutputContract
from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, Part, load, prepared
from trainyard_trainer.data.cleaning import fingerprints, twins
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.errors import InvalidData, InvalidSpec

ROWS = 400


def arrays(rows: int = ROWS, columns: int = 4) -> dict[str, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, columns)).astype(np.float32)
    return {"x_train": x, "y_train": (x[:, 0] > 0).astype(np.int64)}


def read(folder: Path, arrays: dict[str, Any], **fields: Any) -> Dataset:
    np.savez(folder / "data.npz", **arrays)
    source = {"uri": f"file://{folder}/data.npz"}
    return load(Data.model_validate({"source": source} | fields), {})


def read_table(folder: Path, lines: list[str], **fields: Any) -> Dataset:
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    source = {"uri": f"file://{folder}/rows.csv", "label": "label"}
    return load(Data.model_validate({"source": source} | fields), {})


def rows_of(part: Part) -> set[bytes]:
    return {row.tobytes() for row in part.features()}


def listed(folder: Path, dataset: Dataset) -> list[dict[str, str]]:
    contract = Contract(
        input=InputContract(name="features", shape=list(dataset.shape)),
        output=OutputContract(name="p", task="classification", names=["0", "1"]),
    )
    prepared.write(folder / "prepared", dataset, contract, seed=0)
    with (folder / "prepared" / "cleaning.csv").open() as file:
        return list(csv.DictReader(file))


def leaking(rows: int = ROWS, copies: int = 20) -> dict[str, Any]:
    """The last rows of the training part are the first of the test part."""
    found = arrays(rows)
    test = np.concatenate([found["x_train"][-copies:], arrays(rows + 50)["x_train"][rows:]])
    return found | {"x_test": test, "y_test": (test[:, 0] > 0).astype(np.int64)}


class TestLeakage:
    def test_rows_that_stand_in_the_test_part_are_not_learned_from(self, tmp_path: Path) -> None:
        dataset = read(tmp_path, leaking(), split={"validation": 0.0})
        assert len(dataset.train) == ROWS - 20
        assert not rows_of(dataset.train) & rows_of(dataset.test)
        assert len(dataset.test) == 70
        assert any(
            "20 of 400 training rows stand in validation or test" in n for n in dataset.notes
        )

    def test_they_are_counted_and_listed_with_the_rows_that_they_equal(
        self, tmp_path: Path
    ) -> None:
        dataset = read(tmp_path, leaking(), split={"validation": 0.0})
        changes = prepared.report(dataset).changes
        assert changes is not None
        assert changes.leakage == 20
        first = listed(tmp_path, dataset)[0]
        assert (first["problem"], first["action"]) == ("leakage", "dropped")
        assert first["place"].endswith("(x_train): row 380")
        assert first["detail"].endswith("(x_test): row 0, which is in the test part")

    def test_they_are_found_in_parts_of_another_type(self, tmp_path: Path) -> None:
        whole_numbers = {
            "x_train": np.arange(40, dtype=np.uint8).reshape(20, 2),
            "y_train": np.arange(20) % 2,
            "x_test": np.array([[0, 1], [2, 3], [90, 91]], np.float64),
            "y_test": np.array([0, 1, 1]),
        }
        dataset = read(tmp_path, whole_numbers, split={"validation": 0.0})
        assert len(dataset.train) == 18

    def test_they_are_kept_where_the_spec_says_so(self, tmp_path: Path) -> None:
        dataset = read(tmp_path, leaking(), split={"validation": 0.0}, cleaning={"leakage": "keep"})
        assert len(dataset.train) == ROWS
        assert listed(tmp_path, dataset)[0]["action"] == "kept"

    def test_rows_that_repeat_by_nature_are_no_leak(self, tmp_path: Path) -> None:
        """Of three truth values there are eight rows; a person who is like another is no copy."""
        random = np.random.default_rng(1)
        cells = random.choice(["yes", "no"], (ROWS, 3))
        lines = ["a,b,c,label"]
        lines += [f"{a},{b},{c},{'much' if a == b else 'little'}" for a, b, c in cells]
        dataset = read_table(tmp_path, lines)
        assert len(dataset.train) == ROWS * 0.8
        assert any("of training repeats itself: they are kept" in note for note in dataset.notes)

    def test_a_training_part_that_is_the_test_part_is_refused(self, tmp_path: Path) -> None:
        found = arrays()
        copied = found | {"x_test": found["x_train"], "y_test": found["y_train"]}
        with pytest.raises(InvalidData, match="leaves no row to train on"):
            read(tmp_path, copied, split={"validation": 0.0})

    def test_a_class_that_is_lost_with_them_is_named(self, tmp_path: Path) -> None:
        found = leaking()
        found["y_train"][:] = 0
        found["y_train"][-20:] = 1
        with pytest.raises(InvalidData, match=r"class 1.*cleaning\.leakage"):
            read(tmp_path, found, split={"validation": 0.0})

    def test_streamed_rows_are_found_as_those_in_memory(self, tmp_path: Path) -> None:
        resident = read(tmp_path, leaking())
        np.savez(tmp_path / "data.npz", **leaking())
        source = {"uri": f"file://{tmp_path}/data.npz", "streaming": "always"}
        streamed = load(Data.model_validate({"source": source}), {})
        np.testing.assert_array_equal(streamed.train.numbers, resident.train.numbers)


class TestDuplicates:
    def test_they_are_kept_by_default_and_dropped_on_request(self, tmp_path: Path) -> None:
        found = arrays()
        doubled = {name: np.concatenate([each, each[:30]]) for name, each in found.items()}
        doubled |= {"x_test": found["x_train"][:50] + 9, "y_test": found["y_train"][:50]}
        split = {"validation": 0.0}
        assert len(read(tmp_path, doubled, split=split).train) == ROWS + 30
        dataset = read(tmp_path, doubled, split=split, cleaning={"duplicates": "drop"})
        assert len(dataset.train) == ROWS
        assert dataset.train.numbers.max() == ROWS - 1, "the first of equal rows stays"
        assert listed(tmp_path, dataset)[0]["place"].endswith("(x_train): row 400")
        assert listed_detail(dataset).endswith("(x_train): row 0")

    def test_equal_rows_with_different_labels_are_no_duplicates(self, tmp_path: Path) -> None:
        found = arrays()
        again = {"x_train": found["x_train"][:30], "y_train": 1 - found["y_train"][:30]}
        both = {name: np.concatenate([each, again[name]]) for name, each in found.items()}
        both |= {"x_test": found["x_train"][:50] + 9, "y_test": found["y_train"][:50]}
        dataset = read(tmp_path, both, split={"validation": 0.0}, cleaning={"duplicates": "drop"})
        assert len(dataset.train) == ROWS + 30

    def test_rows_with_gaps_are_equal_where_the_gaps_are(self, tmp_path: Path) -> None:
        lines = ["a,b,label"]
        lines += [f"{i},{i * i},{'xy'[i % 2]}" for i in range(100)]
        lines += [",7,x", ",7,x", "7,,x"]
        dataset = read_table(
            tmp_path,
            lines,
            cleaning={"missing": {"strategy": "median"}, "duplicates": "drop", "leakage": "keep"},
            split={"stratify": False, "test": 0.01, "validation": 0.0, "seed": 3},
        )
        changes = prepared.report(dataset).changes
        assert changes is not None
        assert changes.duplicates == 1


def listed_detail(dataset: Dataset) -> str:
    return dataset.findings[0].detail(0)


class TestOutliers:
    def test_values_are_clipped_in_training_and_nowhere_else(self, tmp_path: Path) -> None:
        found = arrays()
        found["x_train"][:5, 1] = 1000.0
        test = arrays(50)["x_train"] + 0.5
        test[0, 1] = 1000.0
        found |= {"x_test": test, "y_test": np.arange(50) % 2}
        dataset = read(
            tmp_path,
            found,
            split={"validation": 0.0},
            cleaning={"outliers": {"method": "iqr"}},
        )
        assert len(dataset.train) == ROWS
        assert dataset.train.features()[:, 1].max() < 10
        assert dataset.test.features()[0, 1] == 1000.0
        assert "column 1 in 5" in dataset.notes[-1]

    def test_the_scaling_is_that_of_what_is_left(self, tmp_path: Path) -> None:
        found = arrays()
        found["x_train"][0, 1] = 1e9
        dataset = read(
            tmp_path,
            found | {"x_test": found["x_train"][:50] + 9, "y_test": found["y_train"][:50]},
            split={"validation": 0.0},
            cleaning={"outliers": {"method": "zscore", "action": "drop"}},
        )
        assert len(dataset.train) == ROWS - 1
        assert dataset.moments is not None
        assert dataset.moments.spread[1] < 2.0

    def test_a_table_tells_column_value_and_row(self, tmp_path: Path) -> None:
        lines = ["age,city,label"]
        lines += [f"{20 + i % 50}.{i:03},{'AB'[i % 2]},{'xy'[i % 2]}" for i in range(200)]
        lines[8] = "9999,A,x"
        dataset = read_table(
            tmp_path,
            lines,
            cleaning={"outliers": {"method": "zscore", "threshold": 5, "action": "drop"}},
            split={"validation": 0.0, "test": 0.05},
        )
        row = listed(tmp_path, dataset)[0]
        assert "row 9 (the header is row 1)" in row["place"]
        assert row["detail"].startswith("age is 9999, ordinary is ")
        spread = dataset.schema.columns[0].spread
        assert spread is not None
        assert spread.highest < 100

    def test_bytes_are_clipped_to_bytes(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        x = random.integers(100, 104, (ROWS, 3)).astype(np.uint8)
        x[:, 0] = np.arange(ROWS) % 100 + 50
        x[0, 1] = 250
        dataset = read(
            tmp_path,
            {"x": x, "y": np.arange(ROWS) % 2},
            cleaning={"outliers": {"method": "iqr"}},
            split={"test": 0.01, "validation": 0.0},
        )
        assert dataset.train.source.dtype == np.uint8
        assert dataset.train.features()[:, 1].max() <= 113

    def test_isolation_forest_drops_rows_that_no_column_gives_away(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        angle = random.uniform(0, 2 * np.pi, ROWS)
        x = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 10 + random.normal(0, 0.1, (ROWS, 2))
        x[:3] = np.array([[0, 0], [0.5, 0], [0, 0.5]])
        split = {"test": 0.1, "validation": 0.0, "seed": 5, "stratify": False}
        cleaning = {"outliers": {"method": "isolation_forest", "threshold": 0.55}}
        found = read(tmp_path, {"x": x, "y": np.arange(ROWS) % 2}, cleaning=cleaning, split=split)
        (finding,) = found.findings
        assert {0, 1, 2} & set(finding.numbers.tolist())
        assert len(finding) < ROWS / 10
        assert "score 0." in finding.detail(0)

    @pytest.mark.parametrize("method", ["zscore", "iqr", "isolation_forest"])
    def test_pictures_have_no_columns(self, tmp_path: Path, method: str) -> None:
        x = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
        with pytest.raises(InvalidSpec, match="columns of numbers"):
            read(
                tmp_path,
                {"x": x, "y": np.arange(60) % 2},
                cleaning={"outliers": {"method": method}},
            )

    def test_a_column_of_which_most_is_one_number_is_left_alone(self, tmp_path: Path) -> None:
        found = arrays()
        found["x_train"][:, 2] = np.where(np.arange(ROWS) % 10 == 0, 50.0, 0.0)
        dataset = read(
            tmp_path,
            found,
            cleaning={"outliers": {"method": "iqr"}},
            split={"validation": 0.0},
        )
        assert dataset.train.features()[:, 2].max() == 50.0


class TestFingerprints:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int16])
    @pytest.mark.parametrize("columns", [1, 3, 8, 13])
    def test_rows_are_equal_where_their_fingerprints_are(self, dtype: Any, columns: int) -> None:
        rows = np.random.default_rng(0).integers(0, 3, (5000, columns)).astype(dtype)
        prints = fingerprints.Fingerprints((columns,), np.dtype(dtype)).of(rows)
        assert len(np.unique(prints)) == len(np.unique(rows, axis=0))

    def test_they_are_the_same_in_every_process(self) -> None:
        rows = np.arange(6, dtype=np.float32).reshape(2, 3)
        found = fingerprints.Fingerprints((3,), np.dtype(np.float32)).of(rows)
        assert found.tolist() == [5959675905528417821, 16214948568188191737]

    def test_rows_that_only_look_equal_are_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where two rows have one fingerprint, the rows themselves decide."""
        monkeypatch.setattr(
            fingerprints.Fingerprints, "of", lambda _, rows: np.zeros(len(rows), np.uint64)
        )
        rows = np.array([[1.0], [2.0], [1.0]], np.float32)
        part = whole(Resident(rows), np.zeros(3, np.int64))
        assert twins.inside(part).places.tolist() == [2]
        assert twins.in_others(
            part.only(np.array([0, 1])), [part.only(np.array([2]))]
        ).places.tolist() == [0]
