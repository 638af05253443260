"""Ports for workers that use their node's network.

Every worker of a gang has two of its own, so that several of them fit on one node. Gangs get theirs
by chance, from what an attempt follows from: nothing has to be remembered, and two gangs that have
drawn the same do so only once. The pods say which ports they take of their node, and the scheduler
puts no two that take the same on one.
"""

from __future__ import annotations

import hashlib

from trainyard_api import environment
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.settings import Settings

PORTS_OF_A_WORKER = 2


def first_port(job: TrainingJob, run: str, attempt: int, size: int, settings: Settings) -> int:
    """Port of worker 0; each further worker's is two higher, and the one after it is its second.

    Args:
        job: the job.
        run: id of the run.
        attempt: of the stage; another attempt draws anew.
        size: workers of the gang.
        settings: have the range.
    """
    first, last = (int(port) for port in settings.host_ports.split("-"))
    places = last - first + 2 - PORTS_OF_A_WORKER * size
    drawn = hashlib.sha256(f"{job.metadata.uid} {run} {attempt}".encode()).digest()
    return first + int.from_bytes(drawn[:8]) % places


def on_host(pod: Manifest, grpc: int, http: int) -> Manifest:
    """The worker's pod in its node's network.

    Args:
        pod: of the worker.
        grpc: the port by which its peers reach it.
        http: the port of its progress and metrics.
    """
    first, *others = pod["spec"]["containers"]
    numbers = {"grpc": grpc, "http": http}
    ports = [
        {**port, "containerPort": numbers[port["name"]], "hostPort": numbers[port["name"]]}
        if port.get("name") in numbers
        else port
        for port in first["ports"]
    ]
    env = [
        {**variable, "value": str(http)} if variable["name"] == environment.PORT else variable
        for variable in first["env"]
    ]
    container = {**first, "ports": ports, "env": env}
    spec = {**pod["spec"], "containers": [container, *others]}
    return {**pod, "spec": {**spec, "hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}}
