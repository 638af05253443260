"""Series of which no windows can be made: what is wrong, and the cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.people import data
from tests.unit.trainer.test_windows import STEPS, read, series
from trainyard_trainer.data import load
from trainyard_trainer.errors import InvalidData


def two_places(rows_of_there: int) -> dict[str, list[Any]]:
    places = ["here"] * (STEPS - rows_of_there) + ["there"] * rows_of_there
    return series() | {"place": places}


def timed(days: list[str]) -> dict[str, list[Any]]:
    return series(len(days)) | {"day": days}


@pytest.mark.parametrize(
    ("columns", "fields", "message"),
    [
        (series(), {"window": {"length": 30}}, "the table has 20 steps, .*take 31; .* at most 19"),
        (series(), {"window": {"horizon": 18}}, "take 21; make length at most 2"),
        (series(), {"window": {"horizon": 99}}, "take 102; make length and horizon smaller"),
        (
            two_places(2),
            {"window": {"series": "place"}},
            r"1 of 2 series of the table are too short \(there; the shortest has 2 steps.*most 1",
        ),
        (series(), {"window": {"series": "place"}}, r"window\.series: .* has no column place"),
        (series(), {"split": {"time": "day"}}, r"split\.time: .* has no column day"),
        (two_places(6), {"split": {"time": "place"}}, r"split\.time: .*row 2 .*holds no time"),
        (
            timed(["2024-01-01", "2024-01-02"] * 8),
            {"split": {"time": "day"}},
            r"14 of 16 steps have the time of another \(.*row 2 .*row 4 .*window\.series",
        ),
        (
            two_places(8) | {"place": ["", *["here"] * 19]},
            {"window": {"series": "place"}},
            r"window\.series: .*row 2 .*place holds no series' name \(1 such rows\)",
        ),
        (
            series() | {"said": [f"it was a day like any other {at}" for at in range(STEPS)]},
            {},
            r"window: said holds texts.*source\.features.*said: category",
        ),
        (
            series() | {"x": ["", 1, 2] * 6 + ["", 1]},
            {"cleaning": {"missing": {"strategy": "drop"}}},
            "no 4 steps of the table follow each other.*missing fill",
        ),
        (series(5), {}, "a share of .* leaves none"),
    ],
)
def test_no_windows_can_be_made(
    tmp_path: Path, columns: dict[str, list[Any]], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidData, match=message):
        read(tmp_path, columns, **fields)


def test_an_hour_that_comes_twice_is_told(tmp_path: Path) -> None:
    days = [f"2024-10-27T{hour:02}:00" for hour in (0, 1, 1, *range(2, 24))]
    dataset_notes = read(tmp_path, timed(days), split={"time": "day"}).notes
    assert any("1 steps have the time of another" in note for note in dataset_notes)


def test_arrays_have_no_windows(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((30, 2)), y=np.arange(30.0))
    with pytest.raises(InvalidData, match=r"spec\.data\.window: .*bring csv or parquet"):
        load(data(tmp_path / "a.npz", None, window={"length": 3}), {})
