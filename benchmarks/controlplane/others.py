"""Pods that are none of the operator's business, of which a real cluster is full."""

from __future__ import annotations

import asyncio

from benchmarks.controlplane.api import Api, Object
from benchmarks.controlplane.jobs import AT_ONCE, create_namespace
from benchmarks.controlplane.nodes import node_name

NAMESPACE = "others"


def build_pod(index: int) -> Object:
    """Returns a pod without a label of ours, on a node already, so that nobody has to place it."""
    labels = {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": f"web-{index // 10}"}
    container = {"name": "web", "image": "example/web:1", "ports": [{"containerPort": 8080}]}
    return {
        "metadata": {"name": f"web-{index:05}", "labels": labels},
        "spec": {"nodeName": node_name(index), "containers": [container]},
    }


async def create_others(api: Api, number: int) -> None:
    """Creates so many of them in a namespace of their own."""
    await create_namespace(api, NAMESPACE)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> None:
        async with slots:
            await api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", build_pod(index))

    await asyncio.gather(*(one(index) for index in range(number)))
