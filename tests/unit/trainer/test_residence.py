"""Rows by number, wherever they are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainyard_trainer.data.memory import is_aligned
from trainyard_trainer.data.residence import Residence, available_memory
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import RowSource, whole
from trainyard_trainer.errors import StoreUnavailable

ROWS = np.arange(40 * 6, dtype=np.float32).reshape(40, 2, 3)


def residence(folder: Path, streaming: str, memory: int = 2**30) -> Residence:
    return Residence(streaming, memory, folder)  # type: ignore[arg-type]


def collected(folder: Path, streaming: str) -> RowSource:
    collector = residence(folder, streaming).collect(50, (2, 3), np.dtype(np.float32))
    for first in range(0, 40, 7):
        collector.add(ROWS[first : first + 7])
    return collector.finish()


SOURCES: dict[str, Callable[[Path], RowSource]] = {
    "an array": lambda _: Resident(ROWS),
    "memory": lambda folder: collected(folder, "never"),
    "disk": lambda folder: collected(folder, "always"),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_rows_for_the_same_numbers(kind: str, tmp_path: Path) -> None:
    source = SOURCES[kind](tmp_path)
    numbers = np.array([39, 0, 7, 7, 13])

    assert (len(source), source.shape, source.dtype.name) == (40, (2, 3), "float32")
    for _ in range(2):
        np.testing.assert_array_equal(source.take(numbers), ROWS[numbers])
    assert is_aligned(source.take(numbers)), "TensorFlow would copy it"
    part = whole(source, np.arange(40)).only(np.arange(5, 25))
    together = np.concatenate([rows.features for rows in part.pieces(piece_bytes=100)])
    np.testing.assert_array_equal(together, ROWS[5:25])


def test_rows_are_streamed_where_they_take_over_a_quarter_of_the_memory(tmp_path: Path) -> None:
    auto = residence(tmp_path, "auto", memory=1000)

    assert not auto.is_streamed(250)
    assert auto.is_streamed(251)
    assert not residence(tmp_path, "never", memory=1).is_streamed(10**12)
    assert residence(tmp_path, "always").is_streamed(1)


def test_a_scratch_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="rows cannot be kept there"):
        residence(tmp_path / "away", "always").collect(1, (1,), np.dtype(np.uint8))


def test_what_was_kept_on_the_disk_leaves_no_file(tmp_path: Path) -> None:
    source = collected(tmp_path, "always")

    assert list(tmp_path.iterdir()) == []
    assert len(source) == 40


def test_this_process_may_use_some_memory() -> None:
    assert 2**27 < available_memory() < 2**50


def test_wide_numbers_are_shifted_before_float32_rounds_them() -> None:
    minutes = 1.7e9 + 60.0 * np.arange(10).reshape(10, 1)
    source = Resident(minutes).shifted(minutes.mean(axis=0))

    np.testing.assert_array_equal(np.diff(source.take(np.arange(10))[:, 0]), 60.0)
    assert source.dtype == np.float32


def test_truth_values_are_taken_as_bytes() -> None:
    source = Resident(np.array([[True, False]]))

    assert source.dtype == np.uint8
    assert source.take(np.array([0])).tolist() == [[1, 0]]


def test_streamed_rows_that_are_taken_together_do_not_pile_up_in_memory(tmp_path: Path) -> None:
    rows = 400_000
    collector = Residence("always", 2**40, tmp_path).collect(rows, (64,), np.dtype(np.float32))
    for first in range(0, rows, 10_000):
        piece = np.arange(first, first + 10_000, dtype=np.float32)
        collector.add(np.repeat(piece[:, np.newaxis], 64, axis=1))
    source = collector.finish()
    # One row of each page: the pages are sixteen times what is taken.
    numbers = np.arange(0, rows, 16, dtype=np.int64)
    asked = Path("/proc/self/clear_refs")
    asked.write_text("5")
    before = peak_megabytes()
    taken = source.take(numbers)
    np.testing.assert_array_equal(taken[:, 0], numbers.astype(np.float32))
    assert peak_megabytes() - before < 60


def peak_megabytes() -> int:
    """The most memory that this process had since it was last asked to forget."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))
