"""Measures the cluster: its start, the time from apply to running workers, memory of our pods.

    python benchmarks/cluster.py

Needs root, and a cluster with Trainyard in it (`make demo`). Starts another, empty one beside it
for the start times. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LOCAL = [sys.executable, "-m", "trainyard_local"]
JOB = """
apiVersion: trainyard.dev/v1alpha1
kind: TrainingJob
metadata: {name: benchmark}
spec:
  data: {source: {uri: "sklearn://digits"}}
  model: {architecture: dense}
  training: {epochs: 5}
  workers: {replicas: 2}
  serving: {}
"""


def local(*arguments: str) -> str:
    """Run the local cluster's program."""
    ended = subprocess.run([*LOCAL, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return ended.stdout


def timed_up(name: str, *options: str) -> float:
    """Seconds until a cluster is up."""
    begun = time.monotonic()
    local("up", "--name", name, *options)
    return round(time.monotonic() - begun, 1)


def measure_starts() -> dict[str, float]:
    """Start of a new cluster, and of one that has state already."""
    name = "benchmark"
    try:
        first = timed_up(name, "--fresh")
        local("down", "--name", name)
        return {"first_start_seconds": first, "warm_start_seconds": timed_up(name)}
    finally:
        local("down", "--name", name, "--purge")


class Kubectl:
    """kubectl for the demo's cluster."""

    def __init__(self) -> None:
        status = json.loads(local("status", "-o", "json"))
        program = Path(status["bin_dir"]) / "kubectl"
        self._command = [str(program), "--kubeconfig", status["kubeconfig"]]

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What it prints."""
        command = [*self._command, *arguments]
        ended = subprocess.run(
            command, input=stdin, stdout=subprocess.PIPE, text=True, check=True, timeout=60
        )
        return ended.stdout

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """Objects of a kind."""
        found: list[dict[str, Any]] = json.loads(self("get", kind, *arguments, "-o", "json"))[
            "items"
        ]
        return found

    def resident_megabytes(self, namespace: str, selector: str) -> float:
        """Resident memory of the first process of the first pod that is selected."""
        pod = self.items("pods", "-n", namespace, "-l", selector)[0]["metadata"]["name"]
        text = self("exec", pod, "-n", namespace, "--", "cat", "/proc/1/status")
        line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
        return round(int(line.split()[1]) / 1024, 1)


def measure_job(kubectl: Kubectl) -> dict[str, float]:
    """From apply to running workers and to a serving endpoint; memory of the pods meanwhile."""
    operator = kubectl.resident_megabytes("trainyard-system", "app.kubernetes.io/name=trainyard")
    begun = time.monotonic()
    kubectl("apply", "-f", "-", stdin=JOB)
    try:
        running = wait_for_workers(kubectl, begun)
        served = wait_for_phase(kubectl, begun)
        serving = kubectl.resident_megabytes(
            "default", "trainyard.dev/job=benchmark,trainyard.dev/stage=serve"
        )
    finally:
        kubectl("delete", "tj", "benchmark", "--wait=false")
    return {
        "apply_to_running_seconds": running,
        "apply_to_served_seconds": served,
        "operator_megabytes": operator,
        "serving_megabytes": serving,
    }


def wait_for_workers(kubectl: Kubectl, begun: float) -> float:
    """Seconds until both workers run."""
    selector = "trainyard.dev/job=benchmark,trainyard.dev/stage=train"
    while time.monotonic() < begun + 120:
        pods = kubectl.items("pods", "-l", selector)
        if [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]:
            return round(time.monotonic() - begun, 1)
    raise SystemExit("the workers did not run within 120 s")


def wait_for_phase(kubectl: Kubectl, begun: float) -> float:
    """Seconds until the job has succeeded."""
    while time.monotonic() < begun + 300:
        phase = kubectl("get", "tj", "benchmark", "-o", "jsonpath={.status.phase}")
        if phase == "Succeeded":
            return round(time.monotonic() - begun, 1)
        if phase == "Failed":
            raise SystemExit(kubectl("get", "tj", "benchmark", "-o", "yaml"))
        time.sleep(0.3)
    raise SystemExit("the job did not succeed within 300 s")


def main() -> None:
    """Measure."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    figures = {"benchmark": "cluster", **measure_job(Kubectl()), **measure_starts()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
