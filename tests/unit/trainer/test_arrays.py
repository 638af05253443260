"""Arrays in files: the same rows whether they fit into memory or not, whatever their type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.residence import Streamed
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.errors import InvalidData

LABELS = np.arange(60) % 3
PLAIN = np.linspace(-4.0, 4.0, 60 * 6).reshape(60, 6)


def read(path: Path, **source: Any) -> Dataset:
    document = {"source": {"uri": f"file://{path}"} | source, "split": {"seed": 3}}
    return load(Data.model_validate(document), {})


def saved(folder: Path, features: NDArray[Any], *, packed: bool = False) -> Path:
    path = folder / "data.npz"
    (np.savez_compressed if packed else np.savez)(path, x=features, y=LABELS)
    return path


ARRAYS: dict[str, NDArray[Any]] = {
    "bytes": np.arange(60 * 12, dtype=np.uint8).reshape(60, 4, 3),
    "float16": PLAIN.astype(np.float16),
    "float64": PLAIN,
    "other byte order": PLAIN.astype(">f4"),
    "long double": PLAIN.astype(np.longdouble),
    "column by column": np.asfortranarray(PLAIN.astype(np.float32)),
    "columns of pictures": np.asfortranarray(PLAIN.reshape(60, 2, 3, 1)),
    "truth values": PLAIN > 0,
    "whole numbers": (PLAIN * 100).astype(np.int64),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ARRAYS)
def test_rows_are_the_same_in_memory_and_on_the_disk(
    tmp_path: Path, kind: str, packed: bool
) -> None:
    path = saved(tmp_path, ARRAYS[kind], packed=packed)
    resident, streamed = (read(path, streaming=each) for each in ("never", "always"))

    assert isinstance(resident.train.source, Resident)
    assert isinstance(streamed.train.source, Streamed)
    for one, other in ((resident.train, streamed.train), (resident.test, streamed.test)):
        np.testing.assert_array_equal(one.features(), other.features())
        wanted = ARRAYS[kind][one.numbers].reshape(-1, *resident.shape)
        np.testing.assert_array_equal(one.features(), wanted.astype(one.source.dtype))


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_times_keep_their_minutes_wherever_they_are_kept(tmp_path: Path, streaming: str) -> None:
    minutes = 1.7e9 + 60.0 * np.arange(60).reshape(60, 1)
    dataset = read(saved(tmp_path, minutes), streaming=streaming)

    (shift,) = dataset.schema.shift
    for part in (dataset.train, dataset.validation, dataset.test):
        exact = minutes[part.numbers] - shift
        np.testing.assert_array_equal(part.features(), exact.astype(np.float32))


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_rows_without_a_number_are_left_out_and_counted(tmp_path: Path, streaming: str) -> None:
    spoilt = PLAIN.copy()
    spoilt[7, 1], spoilt[20, 5] = np.nan, np.inf
    path = saved(tmp_path, spoilt)
    dataset = read(path, streaming=streaming, maxBadRows=2)

    parts = (dataset.train, dataset.validation, dataset.test)
    assert sum(len(part) for part in parts) == 58
    for part in parts:
        assert np.isfinite(part.features()).all()
    kept = np.delete(np.arange(60), [7, 20])
    np.testing.assert_array_equal(LABELS[kept[dataset.train.numbers]], dataset.train.targets)
    notes = dataset.notes
    assert any("2 rows are left out" in note and "row 20, column 5" in note for note in notes)


def test_one_row_more_than_allowed_ends_the_job_with_all_names(tmp_path: Path) -> None:
    spoilt = PLAIN.copy()
    spoilt[[7, 20], 1] = np.nan
    with pytest.raises(InvalidData) as caught:
        read(saved(tmp_path, spoilt), maxBadRows=1)

    message = str(caught.value)
    assert "2 rows cannot be used, spec.data.source.maxBadRows is 1" in message
    assert "row 7, column 1 is NaN or infinite" in message
    assert "row 20" in message


def test_infinity_among_halves_is_found(tmp_path: Path) -> None:
    spoilt = PLAIN.astype(np.float16)
    spoilt[3, 2] = np.inf
    with pytest.raises(InvalidData, match="row 3, column 2 is NaN or infinite"):
        read(saved(tmp_path, spoilt))


def test_an_array_that_is_cut_off_inside_its_archive_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, PLAIN, packed=True)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(InvalidData, match="no sound npz archive"):
        read(path)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="Python's objects"):
        read(saved(tmp_path, PLAIN.astype(object)))


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    path = saved(tmp_path, PLAIN)
    load(Data.model_validate({"source": {"uri": f"file://{path}"}}), {}, said.append)

    assert "reading data: 100 %" in said


def test_files_of_two_formats_are_told(tmp_path: Path) -> None:
    saved(tmp_path, PLAIN)
    (tmp_path / "train-images-idx3-ubyte").touch()
    with pytest.raises(InvalidData, match="no partner"):
        read(tmp_path)
    dataset = read(tmp_path, format="npz")
    assert len(dataset.train) == 48


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="has no files; put the data there"):
        read(tmp_path)
