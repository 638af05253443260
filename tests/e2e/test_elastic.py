"""A gang that goes on with fewer workers and grows back, on a node whose GPUs come and go."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import wait_for
from tests.e2e.conftest import NAME, Namespace

WORKERS = {
    "replicas": 3,
    "minReplicas": 2,
    "elasticDelaySeconds": 5,
    "resources": {"limits": {"nvidia.com/gpu": 1}},
}
TRAINING = {"epochs": 100000, "batchSize": 128, "checkpoint": {"everySteps": 100, "keep": 2}}


def give_gpus(number: int) -> None:
    """The node has so many of them from now on."""
    command = [sys.executable, "-m", "trainyard_local", "gpus", str(number), "--name", NAME]
    subprocess.run(command, check=True)


def step(namespace: Namespace) -> int:
    """The step that status has seen."""
    return int(namespace.status("elastic").get("progress", {}).get("step", 0))


def runs_with(namespace: Namespace, attempts: int, reason: str) -> bool:
    """Whether an attempt runs, and status says how."""
    stages = namespace.status("elastic").get("stages") or [{}]
    said = namespace.condition("elastic", "Running")
    return stages[0].get("attempts") == attempts and (said["status"], said["reason"]) == (
        "True",
        reason,
    )


def resumed_at(namespace: Namespace, pod: str) -> int:
    """The step at which a chief has gone on."""

    def look() -> int:
        log = namespace.cluster.kubectl("logs", pod, "-n", namespace.name, check=False)
        _, found, rest = log.partition("resuming at step ")
        return int(rest.split()[0]) if found else 0

    return wait_for(f"{pod} to go on", look, 120, pause=0.5)


@pytest.fixture
def gpus() -> Iterator[Callable[[int], None]]:
    """Gives the node GPUs, which it has no longer afterwards."""
    yield give_gpus
    give_gpus(0)


def test_a_gang_shrinks_to_what_has_a_place_and_grows_back(
    namespace: Namespace, gpus: Callable[[int], None]
) -> None:
    gpus(3)
    namespace.apply("elastic", workers=WORKERS, training=TRAINING)
    wait_for("some hundred steps", lambda: step(namespace) >= 300, 180, pause=0.5)
    run = namespace.status("elastic")["run"]["id"].partition("-")[2]

    gpus(2)
    lost = f"elastic-{run}-train-1-2"
    namespace.cluster.kubectl("delete", "pod", lost, "-n", namespace.name, "--wait=false")
    wait_for("two workers", lambda: runs_with(namespace, 3, "FewerWorkers"), 120, pause=0.5)
    stage = namespace.status("elastic")["stages"][0]
    assert stage["workers"] == 2
    assert namespace.status("elastic")["restarts"] == {"program": 0, "infrastructure": 1}
    before = resumed_at(namespace, f"elastic-{run}-train-3-0")
    assert before >= 300, "it started over"
    wait_for("further steps", lambda: step(namespace) > before, 120, pause=0.5)

    gpus(3)
    began = time.monotonic()
    wait_for("three workers", lambda: runs_with(namespace, 4, "PodsRunning"), 180, pause=0.5)
    assert resumed_at(namespace, f"elastic-{run}-train-4-0") > before
    assert "workers" not in namespace.status("elastic")["stages"][0]
    print(f"grown back within {time.monotonic() - began:.0f} s")
    reasons = namespace.cluster.kubectl(
        *("get", "events", "-n", namespace.name, "-o", "jsonpath={.items[*].reason}")
    )
    assert {"Shrinking", "Growing"} <= set(reasons.split())
