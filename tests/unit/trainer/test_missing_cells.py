"""Cells of a table that hold nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.people import ROWS, csv_of, features, read, table
from trainyard_trainer.errors import InvalidData


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
