"""Nodes that nobody is behind: large enough for all pods, and kept ready."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from benchmarks.controlplane.api import Api, Object

NODES = 10
PODS_A_NODE = 5000
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_SECONDS = 40
RENEW_SECONDS = 10.0


def node_name(index: int) -> str:
    """Returns the name of a node."""
    return f"played-{index % NODES}"


def utc(seconds: float) -> str:
    """Returns a time as Kubernetes writes it, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build_node(name: str, address: str, now: float) -> Object:
    """Returns a node that is ready and has room."""
    room = {"cpu": "100k", "memory": "1Pi", "ephemeral-storage": "1Pi", "pods": str(PODS_A_NODE)}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": utc(now),
        "lastTransitionTime": utc(now),
    }
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": address}],
        },
    }


def _build_lease(name: str) -> Object:
    renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "metadata": {"name": name},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": renewed,
        },
    }


async def create_nodes(api: Api, address: str) -> None:
    """Creates the nodes and waits until pods can be placed on them."""
    names = [node_name(index) for index in range(NODES)]
    for name in names:
        await api.create("/api/v1/nodes", build_node(name, address, time.time()))
        await api.create(LEASES, _build_lease(name))
    # A new node is tainted until a controller has seen that it is ready.
    while any(node["spec"].get("taints") for node in (await api.get("/api/v1/nodes"))["items"]):
        await asyncio.sleep(0.1)


async def keep_ready(api: Api) -> None:
    """Renews the nodes' leases, for ever."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        for index in range(NODES):
            name = node_name(index)
            await api.patch(f"{LEASES}/{name}", _build_lease(name))
