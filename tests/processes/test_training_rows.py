"""The training part as it is learned from: labels that seem wrong, rows that were made."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.processes.test_training import Gang, digits
from trainyard_api.exit_codes import ExitCode

pytestmark = pytest.mark.processes

WRONG = 60


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Gang]:
    """A gang of two on one disk; it is not started yet."""
    with ExitStack() as stack:
        made = Gang(tmp_path / "run", {})
        stack.callback(made.stop)
        yield made


def mislabelled(folder: Path) -> set[int]:
    """Digits, of which some training rows have the label of the next digit; which those are."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    wrong = np.random.default_rng(1).choice(1400, WRONG, replace=False)
    given = y.copy()
    given[wrong] = (y[wrong] + 1) % 10
    parts = {"train": slice(0, 1400), "val": slice(1400, 1500), "test": slice(1500, None)}
    arrays = {f"x_{part}": x[rows] for part, rows in parts.items()}
    arrays |= {f"y_{part}": given[rows] for part, rows in parts.items()}
    np.savez(folder / "digits.npz", **arrays)
    return set(wrong.tolist())


def spec(folder: Path, **data: Any) -> dict[str, Any]:
    found = digits(epochs=20, replicas=2, batchSize=32)
    found["data"] = {"source": {"uri": f"file://{folder}/digits.npz"}} | data
    return found


def listed(gang: Gang) -> list[dict[str, str]]:
    with (gang.store() / "prepared" / "cleaning.csv").open() as file:
        return list(csv.DictReader(file))


def test_wrong_labels_are_found_and_dropped_also_by_a_gang_that_was_stopped(
    start: Gang, tmp_path: Path
) -> None:
    wrong = mislabelled(tmp_path)
    start.spec = spec(tmp_path, cleaning={"labelErrors": {"action": "drop", "folds": 3}})
    start.start()
    second = start.store() / "checkpoints" / "label-errors-2"
    start.wait_until(lambda: any(second.glob("step-*")))
    start.processes[1].terminate()
    assert start.codes() == [ExitCode.SAVED, ExitCode.SAVED], start.log()

    start.attempt, start.processes = 2, []
    start.start()
    assert start.codes() == [0, 0], start.log()
    assert "resuming at step" in (start.folder / "log-2-0").read_text()
    data = start.result().data
    assert data is not None
    assert data.changes is not None
    rows = listed(start)
    found = {int(row["place"].rpartition(" ")[2]) for row in rows}
    assert data.changes.labelErrors == len(found)
    assert data.rows.train == 1400 - len(found)
    assert len(found & wrong) > 0.9 * WRONG
    assert len(found - wrong) < 0.5 * WRONG
    assert rows[0]["action"] == "dropped"
    assert "seems to be" in rows[0]["detail"]
    assert start.result().metrics["accuracy"] > 0.93
    assert not any(second.glob("step-*")), "what only a restart needs is gone"


def test_rows_of_a_rare_class_are_made_and_learned_from(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    common = random.normal(0.0, 1.0, (1200, 4))
    rare = random.normal(1.2, 1.0, (60, 4))
    x = np.concatenate([common, rare]).astype(np.float32)
    y = np.repeat([0, 1], [len(common), len(rare)])
    np.savez(tmp_path / "digits.npz", x=x, y=y)

    recall = {}
    for name, data in (("as-it-is", {}), ("smote", {"generation": {"method": "smote"}})):
        each = Gang(tmp_path / name, spec(tmp_path, **data))
        each.spec |= {"evaluation": {"metrics": ["recall"]}, "workers": {"replicas": 1}}
        each.start()
        assert each.codes() == [0], each.log()
        recall[name] = each.result().metrics["recall"]
    told = each.result().data
    assert told is not None
    assert told.changes is not None
    assert told.rows.train in range(1000, 1010), "rows that were made are not counted as rows"
    assert told.changes.generated in range(905, 915)
    assert any("a forest tells them from real ones" in note for note in told.notes)
    assert recall["smote"] > recall["as-it-is"] + 0.1


def rare_digit(folder: Path) -> int:
    """Digits, of which the nine is rare; how many rows it lacks."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.uint8).reshape(-1, 8, 8, 1), y[order]
    test = slice(0, 300)
    train = np.arange(300, len(x))
    train = np.concatenate([train[y[train] != 9], train[y[train] == 9][:15]])
    arrays = {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}
    np.savez(folder / "digits.npz", **arrays)
    return int(np.bincount(y[train]).max()) - 15


def test_a_model_makes_rows_of_a_rare_class_also_in_a_gang_that_was_stopped(
    start: Gang, tmp_path: Path
) -> None:
    lacks = rare_digit(tmp_path)
    start.spec = spec(tmp_path, generation={"method": "vae"}, split={"validation": 0.0})
    start.spec["training"]["epochs"] = 8
    start.start()
    beside = start.store() / "checkpoints" / "generation"
    start.wait_until(lambda: any(beside.glob("step-*")))
    assert "training a model that makes rows: epoch" in start.progress()["message"]
    start.processes[1].terminate()
    assert start.codes() == [ExitCode.SAVED, ExitCode.SAVED], start.log()
    stopped_at = max(int(path.stem.removeprefix("step-")) for path in beside.glob("step-*"))

    start.attempt, start.processes = 2, []
    start.start()
    start.wait_until(lambda: bool(start.checkpoints()))
    for process in start.processes:
        process.kill()
        process.wait()

    start.attempt, start.processes = 3, []
    start.start()
    assert start.codes() == [0, 0], start.log()
    logs = [(start.folder / f"log-{each}").read_text() for each in ("2-0", "2-1", "3-0", "3-1")]
    assert f"resuming at step {stopped_at} of" in logs[0]
    made = {line for log in logs for line in re.findall(r"data: (generation .*)", log)}
    assert len(made) == 1, "all workers make the same rows, also after a restart"
    data = start.result().data
    assert data is not None
    assert data.changes is not None
    assert data.changes.generated > lacks
    assert any("generation (vae): " in note for note in data.notes)
    assert start.result().metrics["recall"] > 0.9
    assert not any(beside.glob("step-*")), "what only a restart needs is gone"
