"""Training for real on folders of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import TerminationMessage, parse_termination_message

pytestmark = pytest.mark.processes


def train(folder: Path, spec: dict[str, Any]) -> tuple[int, TerminationMessage, str]:
    """Exit code, termination message and log of one worker."""
    folder.mkdir(exist_ok=True)
    told = folder / "termination"
    environ = os.environ | {
        "TRAINYARD_JOB": "files",
        "TRAINYARD_NAMESPACE": "tests",
        "TRAINYARD_RUN": "1-5f3a9c",
        "TRAINYARD_ATTEMPT": "1",
        "TRAINYARD_SPEC": json.dumps(spec),
        "TRAINYARD_STORAGE": f"file://{folder}/store",
        "TRAINYARD_TERMINATION_LOG": str(told),
        "TRAINYARD_HOST": "127.0.0.1",
        "TRAINYARD_PORT": "0",
    }
    command = [sys.executable, "-m", "trainyard_trainer", "train"]
    done = subprocess.run(
        command,
        check=False,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    message = parse_termination_message(told.read_text())
    assert message is not None, done.stdout
    return done.returncode, message, done.stdout


def pictures(root: Path) -> Path:
    """Noise with a dark or a light middle, and one that is damaged."""
    random = np.random.default_rng(0)
    for label, shade in (("dark", 0), ("light", 255)):
        (root / label).mkdir(parents=True)
        for number in range(60):
            pixels = random.integers(64, 192, (16, 16, 3), np.uint8)
            pixels[4:12, 4:12] = shade
            Image.fromarray(pixels).save(root / label / f"{number:02}.jpg")
    damaged = root / "light" / "07.jpg"
    damaged.write_bytes(damaged.read_bytes()[:200])
    return root


def test_a_folder_of_pictures_with_a_damaged_one_among_them_is_learned(tmp_path: Path) -> None:
    source = {"uri": f"file://{pictures(tmp_path / 'pictures')}", "maxBadRows": 1}
    spec: dict[str, Any] = {
        "data": {"source": source, "preprocessing": {"scaling": "rescale"}},
        "model": {"architecture": "cnn", "cnn": {"filters": [8], "units": [8]}},
        "training": {"epochs": 8, "batchSize": 16, "optimizer": {"learningRate": 0.01}},
    }
    code, message, log = train(tmp_path, spec)
    assert code == ExitCode.OK, log
    assert message.train is not None
    assert message.train.metrics["accuracy"] > 0.9
    assert "1 row is left out" in log
    assert "07.jpg" in log

    del source["maxBadRows"]
    code, message, log = train(tmp_path / "again", spec)
    assert code == ExitCode.INVALID, log
    assert message.failure is not None
    assert message.failure.reason == "InvalidData"
    assert "07.jpg" in message.failure.message


def test_a_folder_of_texts_is_learned(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for label, word in (("bad", "dreadful"), ("good", "wonderful")):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(80):
            said = [f"filler{n}" for n in random.integers(0, 30, 12)]
            said.insert(int(random.integers(0, 12)), word)
            (tmp_path / "texts" / label / f"{number}.txt").write_text(" ".join(said))
    spec = {
        "data": {
            "source": {"uri": f"file://{tmp_path}/texts"},
            "preprocessing": {"text": {"vocabulary": 50, "length": 20}},
        },
        "model": {"architecture": "dense"},
        "training": {"epochs": 30, "batchSize": 16, "optimizer": {"learningRate": 0.01}},
    }
    code, message, log = train(tmp_path, spec)
    assert code == ExitCode.OK, log
    assert message.train is not None
    assert message.train.metrics["accuracy"] > 0.9
