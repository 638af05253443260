"""The training's state on the disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard_trainer.errors import StoreUnavailable
from trainyard_trainer.store import Folder, Store
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints import Snapshot
from trainyard_trainer.training.stopping import Patience

SHAPE: list[NDArray[Any]] = [np.zeros((2, 3), np.float32), np.zeros((), np.int64)]


def snapshot(step: int, patience: Patience | None = None) -> Snapshot:
    variables: list[NDArray[Any]] = [np.full((2, 3), step, np.float32), np.array(step, np.int64)]
    return Snapshot(step, step // 10, patience or Patience(), variables, [variables[0] * 2])


def folder_of(path: Path) -> Folder:
    """A folder of the store above it, opened by a process of its own."""
    shelf = Store.open(f"file://{path.parent}", {}, "train", 1).shelf
    return Folder(shelf, path.name)


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    patience = Patience(best=0.25, waited=2)
    checkpoints.save(folder_of(tmp_path), snapshot(40, patience), keep=2)
    loaded = checkpoints.load(folder_of(tmp_path), SHAPE)

    assert loaded is not None
    assert (loaded.step, loaded.closed, loaded.patience) == (40, 4, patience)
    np.testing.assert_array_equal(loaded.variables[0], np.full((2, 3), 40))
    assert loaded.variables[1].dtype == np.int64
    np.testing.assert_array_equal(loaded.best[0], np.full((2, 3), 80))


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        checkpoints.save(folder_of(tmp_path), snapshot(step), keep=2)

    assert len(list(tmp_path.iterdir())) == 2
    loaded = checkpoints.load(folder_of(tmp_path), SHAPE)
    assert loaded is not None
    assert loaded.step == 30


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_damaged_newest_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    for step in (10, 20):
        checkpoints.save(folder_of(tmp_path), snapshot(step), keep=2)
    newest = max(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "changed":
        place = content.index(np.float32(20).tobytes())
        content[place] ^= 1
    damaged: dict[str, bytes] = {
        "cut": bytes(content[:-100]),
        "changed": bytes(content),
        "empty": b"",
    }
    newest.write_bytes(damaged[damage])
    loaded = checkpoints.load(folder_of(tmp_path), SHAPE)

    assert loaded is not None
    assert loaded.step == 10


def test_checkpoint_of_another_model_is_not_used(tmp_path: Path) -> None:
    checkpoints.save(folder_of(tmp_path), snapshot(10), keep=2)

    assert checkpoints.load(folder_of(tmp_path), [np.zeros((9, 9)), SHAPE[1]]) is None


def test_nothing_there_begins_at_the_start(tmp_path: Path) -> None:
    assert checkpoints.load(folder_of(tmp_path / "checkpoints"), SHAPE) is None


def test_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / ".partial-7-step-0000000020.npz").write_bytes(b"half")

    assert checkpoints.load(folder_of(tmp_path), SHAPE) is None


def test_folder_that_cannot_be_made_is_an_unavailable_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        checkpoints.save(folder_of(tmp_path / "file" / "checkpoints"), snapshot(10), keep=2)
