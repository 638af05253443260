"""A job on this machine whose store is a bucket: trained, compressed and served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.object_store import SECRET, Server

pytestmark = pytest.mark.processes

JOB = """\
apiVersion: trainyard.dev/v1alpha1
kind: TrainingJob
metadata: {name: digits}
spec:
  data: {source: {uri: "sklearn://digits"}}
  model: {architecture: dense}
  training: {epochs: 2}
  compression: {techniques: [float16]}
  storage: {uri: "s3://BUCKET/runs", secretRef: {name: keys}}
  serving: {}
"""


def test_job_with_its_store_in_a_bucket_trains_compresses_and_serves(
    object_store: Server, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(JOB.replace("BUCKET", object_store.bucket()))
    output = tmp_path / "out"
    command = [sys.executable, "-m", "trainyard_operator.hands.processes"]
    command += [str(tmp_path / "job.yaml"), "--output", str(output)]
    environ = os.environ | object_store.environ()
    said: list[dict[str, Any]] = []
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said.append(json.loads(line))
                if said[-1].get("status", {}).get("phase") in ("Succeeded", "Failed"):
                    break
        finally:
            process.send_signal(signal.SIGTERM)
    status = said[-1]["status"]

    assert status["phase"] == "Succeeded"
    assert status["serving"]["readyReplicas"] == 1
    assert status["artifacts"]["compressed"]["uri"].startswith("s3://")
    told = [each["event"]["message"] for each in said if each["type"] == "event"]
    assert "spec.storage.secretRef: Secret keys is not read; the environment counts" in told
    assert len(list(output.rglob("model.tflite"))) == 1, "the model alone is on the disk"
    written = [file.read_bytes() for file in output.rglob("*") if file.is_file()]
    assert not any(SECRET.encode() in content for content in written)
