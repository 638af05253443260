"""A TFJob's program, as its author wrote it, runs by the converted job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainyard_api.status import TrainingJobStatus

pytestmark = pytest.mark.processes

TFJOB = Path(__file__).parent / "tfjob"
START = "from trainyard_cli.main import main; main()"


def trainyard(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_a_converted_tfjob_trains_by_two_workers_and_leaves_its_model(tmp_path: Path) -> None:
    model, tfjob, job = tmp_path / "model", tmp_path / "tfjob.yaml", tmp_path / "job.yaml"
    text = (TFJOB / "tfjob.yaml").read_text().replace("MODEL", str(model))
    program = TFJOB / "multi_worker_strategy_with_keras.py"
    tfjob.write_text(text.replace("PROGRAM", str(program)))
    converted = trainyard("convert", str(tfjob), "--output", str(job))
    assert converted.returncode == 0, converted.stderr

    ended = trainyard("run", str(job), "--output", str(tmp_path / "out"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    status = TrainingJobStatus.model_validate_json((tmp_path / "out" / "status.json").read_text())
    assert status.phase == "Succeeded"
    assert "ended well and reported no result" in ended.stdout
    report = json.loads((model / "report.json").read_text())
    assert report["workers"] == 2
    assert report["loss"] < 0.3
    assert (model / "model.keras").stat().st_size > 0
