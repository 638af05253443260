"""What training prepared for later stages: the same rows, whatever became of the source."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainyard_api.contract import Contract, InputContract, OutputContract
from trainyard_api.results import MAX_BYTES, TerminationMessage, TrainResult
from trainyard_api.spec import Data
from trainyard_api.status import Artifact
from trainyard_trainer.compress import stage
from trainyard_trainer.data import Dataset, load, prepared
from trainyard_trainer.data import rows as rows_of
from trainyard_trainer.data.dataset import Dataset as Made
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidResult
from trainyard_trainer.pod import Pod

CONTRACT = Contract(
    input=InputContract(name="features", shape=[2]),
    output=OutputContract(name="probabilities", task="classification", names=["a", "b"]),
)


def dataset(uri: str) -> Dataset:
    return load(Data.model_validate({"source": {"uri": uri}}), {})


@pytest.mark.parametrize("uri", ["sklearn://digits", "sklearn://diabetes"])
def test_later_stages_take_the_rows_that_training_held_out(uri: str, tmp_path: Path) -> None:
    data = dataset(uri)
    prepared.write(tmp_path / "prepared", data, CONTRACT, seed=0)
    again = prepared.read(tmp_path / "prepared")

    assert again.target == data.schema.target
    assert again.contract == CONTRACT
    for stored, part in ((again.test, data.test), (again.validation, data.validation)):
        np.testing.assert_array_equal(stored.features(), part.features())
        np.testing.assert_array_equal(stored.targets, part.targets)
    learned = {row.tobytes() for row in data.train.features()}
    assert {row.tobytes() for row in again.representative.features()} <= learned


def test_the_artifact_is_the_same_to_the_byte_for_the_same_seed(tmp_path: Path) -> None:
    from trainyard_api.digests import artifact_sha256

    for name in ("one", "two"):
        prepared.write(tmp_path / name, dataset("sklearn://wine"), CONTRACT, seed=3)

    assert artifact_sha256(tmp_path / "one") == artifact_sha256(tmp_path / "two")


def test_a_program_of_ones_own_needs_to_write_the_test_rows_alone(tmp_path: Path) -> None:
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.savez(tmp_path / "test.npz", features=features, targets=np.array(list("aabbcc")))
    read = prepared.read(tmp_path)

    assert read.target == Classes(("a", "b", "c"))
    assert read.test.targets.tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal(read.representative.features(), features)
    assert len(read.validation) == 0


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "there is none"),
        ({"features": np.ones((3, 2))}, "targets"),
        ({"features": np.ones((3, 2)), "targets": np.ones(2)}, "each row of numbers needs one"),
    ],
)
def test_a_folder_that_is_no_prepared_data_is_told(
    arrays: dict[str, Any], said: str, tmp_path: Path
) -> None:
    if arrays:
        np.savez(tmp_path / "test.npz", **arrays)
    with pytest.raises(InvalidResult, match=said):
        prepared.read(tmp_path)


def test_a_large_part_is_represented_by_some_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_MOST_BYTES", 10 * 8 * 8 * 4)
    few = prepared.of_dataset(dataset("sklearn://digits"), seed=1)

    assert len(few.test) == 10, "rows of 8 x 8 float32"
    assert len(few.test) == len(set(few.test.numbers.tolist()))


def test_what_is_said_of_the_data_gives_way_where_a_pod_cannot_report_it_all() -> None:
    many = Classes(tuple(f"a class with a very long name, which is number {i}" for i in range(500)))
    part = rows_of.whole(Resident(np.ones((500, 1))), np.arange(500))
    notes = tuple(f"{i} " + "x" * 900 for i in range(30))
    made = Made(part, part, part, Schema((1,), many), notes=notes)
    long = Artifact(uri=f"file:///{'x' * 900}", sha256="0" * 64)
    result = TrainResult(
        metrics={"accuracy": 0.5},
        examples=1,
        epochs=1,
        steps=1,
        model=long,
        keras=long,
        prepared=long,
        data=prepared.report(made),
    )
    text = TerminationMessage(train=result).encode()

    assert len(text.encode()) <= MAX_BYTES
    assert json.loads(text)["train"]["data"]["targetCount"] == 500


def rows_for(uri: str, folder: Path) -> prepared.Prepared:
    """What compression goes by where no program has reported prepared data."""
    spec = {"data": {"source": {"uri": uri}}, "model": {"architecture": "dense"}}
    environ = {
        "TRAINYARD_JOB": "j",
        "TRAINYARD_RUN": "1-abc",
        "TRAINYARD_SPEC": json.dumps(spec),
        "TRAINYARD_STORAGE": f"file://{folder}",
    }
    return stage.held_out_rows(Pod.from_environment(environ), folder, lambda _: None)


def test_a_division_made_for_compression_says_so(tmp_path: Path) -> None:
    arrays = {"x": np.arange(40.0).reshape(20, 2), "y": np.arange(20) % 2}
    np.savez(tmp_path / "whole.npz", **arrays)  # type: ignore[arg-type]
    brought = {f"{name}_train": each[:15] for name, each in arrays.items()}
    brought |= {f"{name}_test": each[15:] for name, each in arrays.items()}
    np.savez(tmp_path / "parts.npz", **brought)  # type: ignore[arg-type]

    assert "no prepared data" in rows_for(f"file://{tmp_path}/whole.npz", tmp_path).notes[0]
    assert rows_for(f"file://{tmp_path}/parts.npz", tmp_path).notes == ()


def test_numbers_keep_their_names(tmp_path: Path) -> None:
    data = dataset("sklearn://diabetes")
    prepared.write(tmp_path / "prepared", data, CONTRACT, seed=0)

    assert prepared.read(tmp_path / "prepared").target == Quantities(("value",))
    assert prepared.report(data).rows.test == len(data.test)


def test_of_many_notes_the_first_and_the_last_are_reported() -> None:
    told = tuple(f"note {number}" for number in range(11))
    reported = prepared.report(replace(dataset("sklearn://iris"), notes=told)).notes
    assert reported == [f"note {number}" for number in (0, 1, 5, 6, 7, 8, 9, 10)]
