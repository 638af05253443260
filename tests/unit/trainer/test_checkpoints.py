"""The training's state on the disk."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard_api.exit_codes import ExitCode
from trainyard_trainer.errors import Diverged, ForeignCheckpoint, StoreUnavailable
from trainyard_trainer.store import Folder, Store
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints.encoding import Damaged, decode, encode
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.stopping import Patience

NAMES = ("dense/kernel", "sgd/iteration")


def snapshot(step: int, patience: Patience | None = None) -> Snapshot:
    variables: list[NDArray[Any]] = [np.full((2, 3), step, np.float32), np.array(step, np.int64)]
    best = [variables[0] * 2]
    return Snapshot(step, step // 10, patience or Patience(), variables, best, NAMES)


LIKE = snapshot(0)


def folder_of(path: Path) -> Folder:
    """A folder of the store above it, opened by a process of its own."""
    shelf = Store.open(f"file://{path.parent}", {}, "train", 1).shelf
    return Folder(shelf, path.name)


def old_archive(folder: Path, saved: Snapshot) -> Path:
    """A checkpoint as earlier versions wrote it."""
    arrays: dict[str, Any] = {f"variable-{i}": v for i, v in enumerate(saved.variables)}
    arrays |= {f"best-{i}": v for i, v in enumerate(saved.best)}
    about = {
        "step": saved.step,
        "closed": saved.closed,
        "variables": len(saved.variables),
        "weights": len(saved.best),
        "best": saved.patience.best,
        "waited": saved.patience.waited,
        "stopped": saved.patience.stopped,
    }
    path = folder / f"step-{saved.step:010d}.npz"
    np.savez(path, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
    return path


def assert_same(found: Snapshot | None, wanted: Snapshot) -> None:
    assert found is not None
    for each in ("step", "closed", "patience"):
        assert getattr(found, each) == getattr(wanted, each)
    assert list(found.names) == list(wanted.names)
    for mine, theirs in zip(
        [*found.variables, *found.best], [*wanted.variables, *wanted.best], strict=True
    ):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert mine.tobytes() == theirs.tobytes()


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    patience = Patience(best=0.25, waited=2)
    checkpoints.save(folder_of(tmp_path), snapshot(40, patience), keep=2)
    loaded = checkpoints.load(folder_of(tmp_path), LIKE)

    assert_same(loaded, snapshot(40, patience))


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]),
        np.arange(3, dtype=np.uint8),
        np.array(2**63 - 1, np.int64),
        np.zeros((0, 4), np.float32),
        np.array([1.5, -0.0], np.float16),
        np.arange(6, dtype=np.float64).reshape(2, 3).T,
        np.ones((2, 2), ml_dtypes.bfloat16),
    ],
)
def test_arrays_of_every_type_come_back(array: NDArray[Any]) -> None:
    saved = Snapshot(1, 0, Patience(best=0.1 + 0.2, waited=3), [array], [array], ["v"])
    assert_same(decode(encode(saved)), saved)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        checkpoints.save(folder_of(tmp_path), snapshot(step), keep=2)

    assert len(list(tmp_path.iterdir())) == 2
    loaded = checkpoints.load(folder_of(tmp_path), LIKE)
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
    loaded = checkpoints.load(folder_of(tmp_path), LIKE)

    assert loaded is not None
    assert loaded.step == 10


def test_every_single_byte_that_is_changed_is_found(tmp_path: Path) -> None:
    for step in (10, 20):
        checkpoints.save(folder_of(tmp_path), snapshot(step), keep=2)
    newest = max(tmp_path.iterdir())
    whole = newest.read_bytes()
    for place in range(len(whole)):
        for bits in (0x01, 0x80):
            changed = bytearray(whole)
            changed[place] ^= bits
            newest.write_bytes(changed)
            assert_same(checkpoints.load(folder_of(tmp_path), LIKE), snapshot(10))
    newest.write_bytes(whole)
    assert_same(checkpoints.load(folder_of(tmp_path), LIKE), snapshot(20))


def test_every_length_that_is_cut_is_found() -> None:
    whole = encode(snapshot(10))
    for length in range(len(whole)):
        with pytest.raises(Damaged):
            decode(whole[:length])


def test_checkpoint_of_an_earlier_version_is_read_and_then_replaced(tmp_path: Path) -> None:
    wanted = snapshot(10, Patience(best=0.5, waited=1))
    old = old_archive(tmp_path, wanted)
    loaded = checkpoints.load(folder_of(tmp_path), LIKE)
    assert loaded is not None
    assert_same(replace(loaded, names=NAMES), wanted)

    for step in (20, 30):
        checkpoints.save(folder_of(tmp_path), snapshot(step), keep=2)
    assert not old.exists()


def test_damaged_checkpoint_of_an_earlier_version_falls_back(tmp_path: Path) -> None:
    old_archive(tmp_path, snapshot(10))
    newest = old_archive(tmp_path, snapshot(20))
    newest.write_bytes(newest.read_bytes()[:-100])
    loaded = checkpoints.load(folder_of(tmp_path), LIKE)
    assert loaded is not None
    assert loaded.step == 10


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ([np.zeros((2, 3), np.float32)], "2 variables, and this model has 1"),
        ([np.zeros((9, 9), np.float32), np.array(0)], r"float32 \[2, 3\].*float32 \[9, 9\]"),
        ([np.zeros((2, 3), np.float64), np.array(0)], "float32.*float64"),
    ],
)
@pytest.mark.parametrize(
    "write", [lambda folder, s: checkpoints.save(folder_of(folder), s, 2), old_archive]
)
def test_another_models_checkpoint_is_not_damaged_and_nothing_is_trained_over_it(
    tmp_path: Path,
    write: Callable[[Path, Snapshot], object],
    like: list[NDArray[Any]],
    said: str,
) -> None:
    write(tmp_path, snapshot(10))
    mine = Snapshot(0, 0, Patience(), like, [], NAMES[: len(like)])
    with pytest.raises(ForeignCheckpoint, match=said) as caught:
        checkpoints.load(folder_of(tmp_path), mine)
    assert "trainyard.dev/retrain" in str(caught.value)
    assert caught.value.exit_code == ExitCode.INVALID


def test_another_models_checkpoint_is_known_by_its_names(tmp_path: Path) -> None:
    checkpoints.save(folder_of(tmp_path), snapshot(10), keep=2)
    mine = replace(LIKE, names=("conv/kernel", "sgd/iteration"))
    with pytest.raises(ForeignCheckpoint, match=r"dense/kernel.*conv/kernel"):
        checkpoints.load(folder_of(tmp_path), mine)


def test_how_keras_numbers_layers_in_a_process_makes_no_other_model(tmp_path: Path) -> None:
    checkpoints.save(folder_of(tmp_path), snapshot(10), keep=2)
    mine = replace(LIKE, names=("dense_7/kernel", "sgd/iteration"))
    assert checkpoints.load(folder_of(tmp_path), mine) is not None


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["variables", "best"])
def test_what_is_no_number_is_never_saved(tmp_path: Path, value: float, where: str) -> None:
    checkpoints.save(folder_of(tmp_path), snapshot(10), keep=1)
    bad = snapshot(20)
    getattr(bad, where)[0][1, 2] = value
    with pytest.raises(Diverged, match=r"dense/kernel is no finite number.*learningRate"):
        checkpoints.save(folder_of(tmp_path), bad, keep=1)
    assert_same(checkpoints.load(folder_of(tmp_path), LIKE), snapshot(10))


def test_what_an_earlier_version_saved_and_is_no_number_is_not_used(tmp_path: Path) -> None:
    checkpoints.save(folder_of(tmp_path), snapshot(10), keep=2)
    bad = snapshot(20)
    bad.variables[0][0, 0] = np.nan
    old_archive(tmp_path, bad)
    assert_same(checkpoints.load(folder_of(tmp_path), LIKE), snapshot(10))


def test_nothing_there_begins_at_the_start(tmp_path: Path) -> None:
    assert checkpoints.load(folder_of(tmp_path / "checkpoints"), LIKE) is None


def test_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / ".partial-7-step-0000000020.checkpoint").write_bytes(b"half")

    assert checkpoints.load(folder_of(tmp_path), LIKE) is None


def test_folder_that_cannot_be_made_is_an_unavailable_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        checkpoints.save(folder_of(tmp_path / "file" / "checkpoints"), snapshot(10), keep=2)
