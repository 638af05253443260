"""Plays scheduler and kubelets: pods are placed, run, and end as their job's script says.

A pod that is deleted takes a moment to end, as real ones do: that is where a new attempt could
start too early.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence

from benchmarks.controlplane.api import Object
from benchmarks.controlplane.nodes import (
    LEASES,
    NODES,
    RENEW_SECONDS,
    build_node,
    node_name,
    utc,
)
from tests.chaos.client import STRATEGIC_MERGE, Client, Listener, Refused
from tests.integration.fake_node import Outcome, PodId
from trainyard_api.exit_codes import ExitCode
from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_JOB, LABEL_STAGE

Outcomes = Callable[[PodId], Outcome | None]
_ADDRESS = "127.0.0.1"
_LINGER_SECONDS = 1.5
_START_SECONDS = 0.4
_KILLED = 137


class Node:
    """All nodes of the cluster."""

    def __init__(self, client: Client, namespace: str, outcome: Outcomes, seed: int) -> None:
        """Args:
        client: of the API server.
        namespace: of the pods.
        outcome: what becomes of a pod; None: it runs on.
        seed: for how long things take.
        """
        self._client = client
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._outcome = outcome
        self._dice = random.Random(seed)
        self._plays: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Task[None]] = {}

    async def play(self) -> None:
        """Play for ever."""
        listener = Listener(self._listed, self._happened)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_ready())
                tasks.create_task(self._client.follow(self._pods, LABEL_JOB, listener))
        finally:
            for task in (*self._plays.values(), *self._ends.values()):
                task.cancel()

    async def _keep_ready(self) -> None:
        for index in range(NODES):
            node = build_node(node_name(index), _ADDRESS, time.time())
            await self._client.create("/api/v1/nodes", node)
            await self._client.create(LEASES, _lease(node_name(index)))
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for index in range(NODES):
                name = node_name(index)
                await self._client.patch(f"{LEASES}/{name}", _lease(name))

    def _listed(self, pods: Sequence[Object]) -> None:
        for pod in pods:
            self._happened("MODIFIED", pod)

    def _happened(self, kind: str, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            if task := self._plays.get(uid):
                task.cancel()
        elif "deletionTimestamp" in pod["metadata"]:
            if uid not in self._ends:
                self._ends[uid] = asyncio.create_task(self._end(pod))
        elif uid not in self._plays:
            self._plays[uid] = asyncio.create_task(self._run(pod))

    async def _run(self, pod: Object) -> None:
        """From nothing to the end, as far as the pod has not come yet."""
        who, name = pod_id(pod), pod["metadata"]["name"]
        with contextlib.suppress(Refused):  # Somebody has removed it.
            if not pod["spec"].get("nodeName"):
                await self._bind(name)
            phase = (pod.get("status") or {}).get("phase", "Pending")
            if phase == "Pending":
                await asyncio.sleep(self._dice.uniform(0.0, _START_SECONDS))
                await self._patch(name, _running(pod))
            if phase in ("Succeeded", "Failed") or who.stage == "serve":
                return
            while (outcome := self._outcome(who)) is None:
                await asyncio.sleep(0.1)
            await asyncio.sleep(outcome.after)
            await self._patch(name, _ended(pod, outcome.exit_code, outcome.message))

    async def _end(self, pod: Object) -> None:
        """The program is told to stop, and takes its time; then the pod goes."""
        metadata = pod["metadata"]
        await asyncio.sleep(self._dice.uniform(0.0, _LINGER_SECONDS))
        if task := self._plays.get(metadata["uid"]):
            task.cancel()
        with contextlib.suppress(Refused):
            if (pod.get("status") or {}).get("phase") == "Running" and self._dice.random() < 0.7:
                code = self._dice.choice((int(ExitCode.SAVED), _KILLED))
                await self._patch(metadata["name"], _ended(pod, code, ""))
        await self._client.delete(f"{self._pods}/{metadata['name']}", metadata["uid"], grace=0)

    async def _bind(self, name: str) -> None:
        target = {"kind": "Node", "name": node_name(self._dice.randrange(NODES))}
        binding = {"metadata": {"name": name}, "target": target}
        await self._client.create(f"{self._pods}/{name}/binding", binding)

    async def _patch(self, name: str, status: Object) -> None:
        path = f"{self._pods}/{name}/status"
        await self._client.patch(path, {"status": status}, STRATEGIC_MERGE)


def pod_id(pod: Object) -> PodId:
    """Which pod of a job it is."""
    labels = pod["metadata"]["labels"]
    return PodId(
        job=labels[LABEL_JOB],
        stage=labels[LABEL_STAGE],
        attempt=int(labels.get(LABEL_ATTEMPT, "1")),
        index=int(labels.get(LABEL_INDEX, "0")),
    )


def _running(pod: Object) -> Object:
    now = utc(time.time())
    return {
        "phase": "Running",
        "startTime": now,
        "podIP": _ADDRESS,
        "podIPs": [{"ip": _ADDRESS}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
        "containerStatuses": [_container(pod, {"running": {"startedAt": now}})],
    }


def _ended(pod: Object, code: int, message: str) -> Object:
    now = utc(time.time())
    reason = "Completed" if code == 0 else "Error"
    ended = {"exitCode": code, "reason": reason, "message": message, "finishedAt": now}
    return {
        "phase": "Succeeded" if code == 0 else "Failed",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": now}],
        "containerStatuses": [_container(pod, {"terminated": ended})],
    }


def _container(pod: Object, state: Object) -> Object:
    return {
        "name": pod["spec"]["containers"][0]["name"],
        "image": "played",
        "imageID": "played",
        "ready": "running" in state,
        "restartCount": 0,
        "state": state,
    }


def _lease(name: str) -> Object:
    renewed = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}
    return {"metadata": {"name": name}, "spec": spec}
