"""The jobs that are submitted: training only, with a program that a played node never runs."""

from __future__ import annotations

import asyncio

from benchmarks.controlplane.api import Api, Object
from trainyard_api.names import API_VERSION, KIND, PLURAL

CLAIM = "trainyard-artifacts"
"""Where the operator keeps models unless a job says otherwise: the claim must be there."""
AT_ONCE = 16


def build_job(name: str, workers: int) -> Object:
    """Returns a job of so many workers."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {
            "data": {"source": {"uri": "sklearn://digits"}},
            "model": {"architecture": "dense"},
            # Every worker gets a part of the batch.
            "training": {"batchSize": workers},
            "workers": {"replicas": workers},
        },
    }


async def submit(
    api: Api, namespace: str, number: int, workers: int = 2, rate: float | None = None
) -> None:
    """Submits jobs.

    Args:
        api: to submit by.
        namespace: of the jobs.
        number: of jobs.
        workers: of each job.
        rate: jobs a second; None: as fast as it goes.
    """
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/{PLURAL}"
    begun, slots = asyncio.get_running_loop().time(), asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> None:
        if rate is not None:
            await asyncio.sleep(begun + index / rate - asyncio.get_running_loop().time())
        async with slots:
            await api.create(path, build_job(f"job-{index:05}", workers))

    await asyncio.gather(*(one(index) for index in range(number)))


async def prepare_namespace(api: Api, namespace: str) -> None:
    """Makes the namespace and the bound volume claim that the jobs' pods need to be placed."""
    await create_namespace(api, namespace)
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    size = {"storage": "1Ti"}
    shared = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {
        **shared,
        "capacity": size,
        "hostPath": {"path": "/nonexistent"},
        "claimRef": {"namespace": namespace, "name": CLAIM},
    }
    await api.create("/api/v1/persistentvolumes", {"metadata": {"name": namespace}, "spec": volume})
    claim = {**shared, "resources": {"requests": size}, "volumeName": namespace}
    await api.create(claims, {"metadata": {"name": CLAIM}, "spec": claim})
    while (await api.get(f"{claims}/{CLAIM}"))["status"].get("phase") != "Bound":
        await asyncio.sleep(0.1)


async def create_namespace(api: Api, name: str) -> None:
    """Makes a namespace and waits until pods can be made in it."""
    await api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    while not await _has_account(api, name):
        await asyncio.sleep(0.1)


async def _has_account(api: Api, namespace: str) -> bool:
    """Returns whether there is the default service account, which each pod needs."""
    found = await api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts")
    return any(account["metadata"]["name"] == "default" for account in found["items"])
