"""The node itself: its kubelet stops for a while, the whole machine restarts, its network is the
workers' own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from benchmarks.programs import kubelet_of
from tests.cluster import wait_for
from tests.e2e.conftest import NAME, Namespace
from tests.e2e.test_interruptions import start_long_job, wait_until_resumed


def is_ready(namespace: Namespace) -> bool:
    """Whether the node is, by what the API server knows."""
    conditions = namespace.cluster.get("node", NAME, namespace.name)["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def test_a_kubelet_that_stops_for_a_minute_costs_nothing(namespace: Namespace) -> None:
    """Nobody hears of the workers, and they train on."""
    start_long_job(namespace, "unheard", training={"epochs": 100000, "batchSize": 128})
    process = kubelet_of(NAME)
    os.kill(process, signal.SIGSTOP)
    try:
        wait_for("the node to be missed", lambda: not is_ready(namespace), 120, pause=1)
    finally:
        os.kill(process, signal.SIGCONT)
    wait_for("the node to be heard again", lambda: is_ready(namespace), 60, pause=0.5)
    before = namespace.status("unheard")["progress"]["step"]
    wait_for(
        "further steps",
        lambda: namespace.status("unheard")["progress"]["step"] > before,
        60,
        pause=0.5,
    )
    status = namespace.status("unheard")
    assert status["restarts"] == {"program": 0, "infrastructure": 0}
    assert status["stages"][0]["attempts"] == 1


def test_a_machine_that_restarts_costs_no_retry(namespace: Namespace) -> None:
    """The node, the API server with its etcd, and the operator, all at once."""
    run = start_long_job(namespace, "restarted")
    for command in ("down", "up"):
        subprocess.run(
            [sys.executable, "-m", "trainyard_local", command, "--name", NAME], check=True
        )
    wait_until_resumed(namespace, f"restarted-{run}-train-2-0")
    assert namespace.status("restarted")["restarts"] == {"program": 0, "infrastructure": 1}


def test_workers_in_the_network_of_their_node_find_each_other_by_ports_of_their_own(
    namespace: Namespace,
) -> None:
    """Two gangs of two, all on one node."""
    enforce = "pod-security.kubernetes.io/enforce=privileged"
    namespace.cluster.kubectl("label", "--overwrite", "namespace", namespace.name, enforce)
    names = ("first", "second")
    for name in names:
        namespace.apply(
            name,
            workers={"replicas": 2, "hostNetwork": True},
            training={"epochs": 3},
        )
    pods = wait_for(
        "four workers",
        lambda: (found := namespace.cluster.list("pods", namespace.name)) and found[3:] and found,
        60,
    )
    assert all(pod["spec"]["hostNetwork"] for pod in pods)
    ports = [port["hostPort"] for pod in pods for port in pod["spec"]["containers"][0]["ports"]]
    assert len(ports) == len(set(ports)) == 8
    for name in names:
        namespace.wait_for_phase(name, "Succeeded")
