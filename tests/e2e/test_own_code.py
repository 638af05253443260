"""Code of one's own reaches containers as a ConfigMap, which goes with its job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cluster import wait_for
from tests.e2e.conftest import Namespace

EXAMPLES = Path(__file__).parents[2] / "manifests" / "examples"


def test_submitted_code_trains_in_containers_and_is_deleted_with_the_job(
    namespace: Namespace,
) -> None:
    cluster = namespace.cluster
    submit = [
        *(sys.executable, "-c", "from trainyard_cli.main import main; main()", "submit"),
        *(str(EXAMPLES / "own-code.yaml"), "--code", str(EXAMPLES / "own-code")),
        *("--kubeconfig", str(cluster.kubeconfig), "-n", namespace.name),
    ]
    told = subprocess.run(submit, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "at configmap://own-code-code-" in told.stdout
    namespace.wait_for_phase("own-code", "Succeeded")
    again = subprocess.run(submit, capture_output=True, text=True, check=True)
    assert "unchanged" in again.stdout

    def code() -> str:
        return cluster.kubectl(
            *("get", "configmap", "-n", namespace.name, "-o", "name"),
            *("-l", "trainyard.dev/job=own-code"),
        ).strip()

    assert code().startswith("configmap/own-code-code-")
    cluster.kubectl("delete", "tj", "own-code", "-n", namespace.name)
    wait_for("the code to go with its job", lambda: not code(), 60)
