"""Measures a restart: from the SIGKILL of a worker to the step that it was at being passed again.

    python -m benchmarks.restart

Needs root, and a cluster with Trainyard in it (`make demo`). Prints one JSON line: the seconds
after the kill at which each part of the restart was seen.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import time
import urllib.request
from typing import Any

from benchmarks.cluster import Kubectl
from benchmarks.programs import trainer_of

NAME = "restart"
WORKERS = 2
LIMIT_SECONDS = 240.0
JOB = f"""
apiVersion: trainyard.dev/v1alpha1
kind: TrainingJob
metadata: {{name: {NAME}}}
spec:
  data: {{source: {{uri: "sklearn://digits"}}}}
  model: {{architecture: dense}}
  training: {{epochs: 100000, batchSize: 128, checkpoint: {{everySteps: 100}}}}
  workers: {{replicas: {WORKERS}}}
"""


class Job:
    """The job, and its pods as they are."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def status(self) -> dict[str, Any]:
        """The first stage's status; empty while there is none."""
        job = json.loads(self._kubectl("get", "tj", NAME, "-o", "json"))
        stages = job.get("status", {}).get("stages") or [{}]
        return dict(stages[0])

    def pods(self, attempt: int) -> list[dict[str, Any]]:
        """Pods of an attempt, the chief first."""
        selector = f"trainyard.dev/job={NAME},trainyard.dev/attempt={attempt}"
        found = self._kubectl.items("pods", "-l", selector)
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def progress(self, attempt: int) -> dict[str, Any]:
        """What the chief of an attempt says; empty while it says nothing."""
        pods = self.pods(attempt)
        address = pods[0]["status"].get("podIP") if pods else None
        with contextlib.suppress(OSError):
            if address:
                url = f"http://{address}:8081/progress"
                answer: dict[str, Any] = json.load(urllib.request.urlopen(url, timeout=1))
                return answer
        return {}


def measure(job: Job) -> dict[str, float]:
    """The seconds after the kill at which each part was seen."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while job.progress(1).get("step", 0) < 500:
        wait(deadline)
    victim = job.pods(1)[1]["metadata"]["name"]
    process, step = trainer_of(victim), job.progress(1)["step"]
    os.kill(process, signal.SIGKILL)
    begun = time.monotonic()
    seen: dict[str, float] = {}

    def note(what: str) -> None:
        seen.setdefault(what, round(time.monotonic() - begun, 2))

    while "step_passed" not in seen:
        wait(deadline)
        if job.status().get("state") != "Running":
            note("noticed")
        pods = job.pods(2)
        if len(pods) == WORKERS:
            note("pods_created")
            if all(pod["status"].get("phase") == "Running" for pod in pods):
                note("pods_running")
        said = job.progress(2)
        if said:
            note("program_answers")
        if "compiling" in said.get("message", ""):
            note("gang_assembled")
        if said.get("step", 0) > 0:
            note("resumed")
        if said.get("step", 0) > step:
            note("step_passed")
    return seen


def wait(deadline: float) -> None:
    """Pause, unless it has taken too long."""
    if time.monotonic() > deadline:
        raise SystemExit(f"not done within {LIMIT_SECONDS:.0f} s")
    time.sleep(0.1)


def main() -> None:
    """Measure."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    kubectl = Kubectl()
    kubectl("apply", "-f", "-", stdin=JOB)
    try:
        seconds = measure(Job(kubectl))
    finally:
        kubectl("delete", "tj", NAME, "--wait=false")
    print(json.dumps({"benchmark": "restart", "workers": WORKERS, "seconds_after_kill": seconds}))


if __name__ == "__main__":
    main()
