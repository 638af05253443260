"""The init container of a serving pod, with a real bucket."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.object_store import Server
from trainyard_api import environment
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import parse_termination_message

pytestmark = pytest.mark.processes

CONTENT = b"a model" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def environ(object_store: Server, tmp_path: Path) -> dict[str, str]:
    bucket = object_store.bucket()
    object_store.store(bucket).put("runs/x.tflite", CONTENT)
    return {
        **object_store.environ(),
        environment.MODEL_URI: f"s3://{bucket}/runs/x.tflite",
        environment.MODEL_SHA256: DIGEST,
        environment.MODEL_FILE: str(tmp_path / "model" / "model.tflite"),
        environment.TERMINATION_LOG: str(tmp_path / "termination"),
    }


def fetch(environ: dict[str, str]) -> int:
    command = [sys.executable, "-m", "trainyard_serving", "fetch"]
    return subprocess.run(command, env=os.environ | environ, check=False).returncode


def test_model_is_on_the_disk_afterwards(environ: dict[str, str]) -> None:
    assert fetch(environ) == ExitCode.OK
    target = Path(environ[environment.MODEL_FILE])
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["model.tflite"]


@pytest.mark.parametrize(
    ("change", "code", "reason", "said"),
    [
        (
            {environment.MODEL_SHA256: "0" * 64},
            ExitCode.INVALID,
            "ModelRejected",
            f"has sha256 {DIGEST}",
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": "a-wrong-secret"},
            ExitCode.INVALID,
            "InvalidSpec",
            "spec.storage.secretRef",
        ),
        (
            {environment.MODEL_URI: "s3://no-such-bucket/x.tflite"},
            ExitCode.INVALID,
            "InvalidSpec",
            "spec.storage.uri",
        ),
    ],
)
def test_what_is_wrong_is_said_and_no_file_is_left(
    environ: dict[str, str], change: dict[str, str], code: ExitCode, reason: str, said: str
) -> None:
    assert fetch(environ | change) == code
    message = parse_termination_message(Path(environ[environment.TERMINATION_LOG]).read_text())
    assert message is not None
    assert message.failure is not None
    assert message.failure.reason == reason
    assert said in message.failure.message
    assert "a-wrong-secret" not in message.failure.message
    assert not Path(environ[environment.MODEL_FILE]).exists()
