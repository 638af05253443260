"""Workers are killed and evicted for real; the job goes on from its checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from benchmarks.programs import trainer_of
from tests.cluster import wait_for
from tests.e2e.conftest import NAME, Namespace, termination

LONG: dict[str, object] = {
    "training": {"epochs": 3000, "batchSize": 128, "checkpoint": {"everySteps": 100, "keep": 2}},
}


def start_long_job(namespace: Namespace, name: str, **spec: object) -> str:
    """Start a job and wait until it has checkpoints behind it; the hash of its run."""
    namespace.apply(name, **{**LONG, **spec})
    wait_for(
        "some hundred steps",
        lambda: namespace.status(name).get("progress", {}).get("step", 0) >= 300,
        120,
    )
    run: str = namespace.status(name)["run"]["id"]
    return run.partition("-")[2]


def wait_until_resumed(namespace: Namespace, pod: str) -> None:
    """Wait until an attempt's chief runs and says that it goes on from a checkpoint."""
    wait_for(
        f"{pod} to go on",
        lambda: (
            namespace.pod(pod).get("status", {}).get("phase") == "Running"
            and "resum" in namespace.cluster.kubectl("logs", pod, "-n", namespace.name).lower()
        ),
        120,
        pause=0.5,
    )


def test_a_killed_worker_resumes_from_the_checkpoint_and_counts_as_the_program(
    namespace: Namespace,
) -> None:
    run = start_long_job(namespace, "killed")
    os.kill(trainer_of(f"killed-{run}-train-1-1"), signal.SIGKILL)
    wait_until_resumed(namespace, f"killed-{run}-train-2-0")
    assert namespace.status("killed")["restarts"] == {"program": 1, "infrastructure": 0}
    resumed = wait_for(
        "progress of the second attempt",
        lambda: namespace.status("killed").get("progress", {}).get("step", 0),
        60,
    )
    assert resumed >= 300, "it started over"


def test_an_evicted_worker_saves_and_costs_no_retry(namespace: Namespace) -> None:
    run = start_long_job(namespace, "evicted")
    pod = f"evicted-{run}-train-1-1"
    eviction = (
        '{"apiVersion": "policy/v1", "kind": "Eviction", '
        f'"metadata": {{"name": "{pod}", "namespace": "{namespace.name}"}}}}'
    )
    namespace.cluster.kubectl(
        "create",
        "--raw",
        f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction",
        "-f",
        "-",
        stdin=eviction,
    )
    wait_until_resumed(namespace, f"evicted-{run}-train-2-0")
    assert namespace.status("evicted")["restarts"] == {"program": 0, "infrastructure": 1}


def test_suspend_frees_the_node_and_resume_goes_on(namespace: Namespace) -> None:
    run = start_long_job(namespace, "paused")
    namespace.apply("paused", **LONG, runPolicy={"suspend": True})
    namespace.wait_for_phase("paused", "Suspended")
    wait_for("no pods", lambda: not namespace.cluster.list("pods", namespace.name), 60)
    namespace.apply("paused", **LONG)
    wait_until_resumed(namespace, f"paused-{run}-train-2-0")
    assert namespace.status("paused").get("restarts", {}).get("program", 0) == 0


def test_workers_with_gpus_wait_for_a_node_that_has_them(namespace: Namespace) -> None:
    workers = {"replicas": 2, "resources": {"limits": {"nvidia.com/gpu": 1}}}
    namespace.apply("gpus", workers=workers, training={"epochs": 2})
    wait_for(
        "the reason",
        lambda: "nvidia.com/gpu" in namespace.condition("gpus", "Running").get("message", ""),
    )
    subprocess.run(
        [sys.executable, "-m", "trainyard_local", "gpus", "2", "--name", NAME], check=True
    )
    status = namespace.wait_for_phase("gpus", "Succeeded")
    run = status["run"]["id"].partition("-")[2]
    pod = namespace.pod(f"gpus-{run}-train-1-0")
    assert termination(pod)["train"]["epochs"] == 2
