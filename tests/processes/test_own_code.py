"""Code of one's own, trained for real."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.processes.test_run import EXAMPLE, run, status_of
from tests.processes.test_training import Start, digits, gang
from trainyard_api.digests import artifact_sha256

__all__ = ["gang"]

pytestmark = pytest.mark.processes

OWN = EXAMPLE.parent / "own-code"

MISUSED = """
import os

import models


def build_model(**arguments):
    print("a line that belongs to nobody")
    path = os.environ["TRAINYARD_TERMINATION_LOG"]
    with open(path, "w") as file:
        file.write('{"train": {"metrics": {"accuracy": 1.0}, "examples": 1}}')
    return models.build_model((8, 8), 10, width=arguments.get("width", 16))


def raises(outputs):
    raise RuntimeError(f"no weights for {outputs} classes")
"""


def test_a_folder_of_code_trains_compresses_and_serves(tmp_path: Path) -> None:
    ended = run(EXAMPLE.with_name("own-code.yaml"), tmp_path / "out", "--code", str(OWN), "--once")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    status = status_of(tmp_path / "out")
    assert status.phase == "Succeeded"
    train = status.condition("Trained")
    assert train is not None
    assert "(stopped early)" in train.message, "the callback has ended it"
    (log,) = tmp_path.glob("out/pods/*-train-1-0/log")
    assert re.search("good enough after [0-9]+ epochs", log.read_text())


def with_code(folder: Path, entrypoint: str, replicas: int) -> dict[str, Any]:
    folder.mkdir()
    (folder / "models.py").write_text((OWN / "models.py").read_text())
    (folder / "misused.py").write_text(MISUSED)
    spec = digits(epochs=2, replicas=replicas)
    spec["model"] = {"architecture": "custom", "custom": {"entrypoint": entrypoint}}
    spec["code"] = {"uri": f"file://{folder}", "sha256": artifact_sha256(folder)}
    return spec


def test_code_that_writes_a_result_of_its_own_does_not_forge_it(
    gang: Start, tmp_path: Path
) -> None:
    trained = gang(with_code(tmp_path / "code", "misused:build_model", 1))

    assert trained.codes() == [0], trained.log()
    assert trained.result().examples == 180
    assert trained.result().metrics["accuracy"] < 1.0


def test_code_that_fails_ends_every_worker_at_once_with_the_reason(
    gang: Start, tmp_path: Path
) -> None:
    failed = gang(with_code(tmp_path / "code", "misused:raises", 2))

    assert failed.codes() == [2, 2], failed.log()
    failure = failed.message().failure
    assert failure is not None
    assert failure.reason == "InvalidSpec"
    assert re.fullmatch(
        r"spec.model.custom.entrypoint: misused:raises raised RuntimeError: "
        r"no weights for 10 classes \(at misused.py:\d+ in raises\)",
        failure.message,
    ), failure.message
