"""Workers whose node drives them away, that need too much, or that only seem to be alive."""

from __future__ import annotations

import os
import signal

from benchmarks.programs import trainer_of
from tests.cluster import wait_for
from tests.e2e.conftest import NAME, Namespace
from tests.e2e.test_interruptions import start_long_job, wait_until_resumed


def test_a_tainted_node_costs_no_retry(namespace: Namespace) -> None:
    """The taint is gone before the next attempt needs the node, the only one there is."""
    run = start_long_job(namespace, "tainted")
    kubectl = namespace.cluster.kubectl
    kubectl("taint", "node", NAME, "maintenance=now:NoExecute")
    try:
        wait_for(
            "the next attempt",
            lambda: namespace.status("tainted")["stages"][0].get("state") != "Running",
            60,
        )
    finally:
        kubectl("taint", "node", NAME, "maintenance-")
    wait_until_resumed(namespace, f"tainted-{run}-train-2-0")
    assert namespace.status("tainted")["restarts"] == {"program": 0, "infrastructure": 1}


def test_a_worker_that_needs_too_much_memory_is_told_so(namespace: Namespace) -> None:
    namespace.apply(
        "greedy",
        workers={
            "replicas": 1,
            "resources": {"limits": {"memory": "512Mi"}},
            "command": ["python", "-c", "bytearray(700 << 20)"],
        },
        runPolicy={"backoffLimit": 0},
    )
    status = namespace.wait_for_phase("greedy", "Failed")
    failed = next(c for c in status["conditions"] if c["type"] == "Failed")
    assert "memory" in failed["message"]
    assert "limits.memory" in failed["message"]


def test_a_worker_that_is_stopped_is_missed_by_the_others(namespace: Namespace) -> None:
    """Its pod runs, and nothing of it does: only its peers can tell."""
    workers = {"replicas": 2, "terminationGracePeriodSeconds": 5}
    run = start_long_job(namespace, "stopped", workers=workers)
    process = trainer_of(f"stopped-{run}-train-1-1")
    os.kill(process, signal.SIGSTOP)
    wait_for(
        "the next attempt",
        lambda: namespace.status("stopped")["stages"][0].get("state") != "Running",
        240,
        pause=0.5,
    )
    wait_until_resumed(namespace, f"stopped-{run}-train-2-0")
    assert namespace.status("stopped")["restarts"] == {"program": 0, "infrastructure": 1}
