"""Watches everything directly, tells the invariants, and writes the histories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from benchmarks.controlplane.api import Object
from tests.chaos.client import Client, Listener
from tests.chaos.history import History
from tests.chaos.invariants import Invariants, read_pod
from trainyard_api.names import LABEL_JOB, LABEL_STAGE
from trainyard_operator.hands.cluster.resources import collection_path

JOB = "TrainingJob"
CHILDREN = ("Pod", "Service", "Deployment", "NetworkPolicy")
_REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"


class Observer:
    """What there is in a namespace, as the API server has it."""

    def __init__(self, client: Client, namespace: str, history: History) -> None:
        self._client = client
        self._namespace = namespace
        self._history = history
        self.invariants = Invariants(history)
        self.objects: dict[str, dict[str, Object]] = {kind: {} for kind in (JOB, *CHILDREN)}
        """By kind and uid."""

    async def watch(self) -> None:
        """Watch for ever."""
        async with asyncio.TaskGroup() as tasks:
            for kind in self.objects:
                path = collection_path(kind, self._namespace)
                selector = "" if kind == JOB else LABEL_JOB
                listener = Listener(self._listed(kind), self._happened(kind))
                tasks.create_task(self._client.follow(path, selector, listener))

    def job(self, name: str) -> Object | None:
        """A job; None where there is none."""
        jobs = self.objects[JOB].values()
        return next((job for job in jobs if job["metadata"]["name"] == name), None)

    def of(self, kind: str, job: str) -> list[Object]:
        """The objects of a kind that a job has."""
        objects = self.objects[kind].values()
        return [o for o in objects if o["metadata"]["labels"].get(LABEL_JOB) == job]

    def computing(self, job: str) -> list[Object]:
        """The pods in which a program may still compute for a job."""
        pods = [(pod, read_pod(pod)) for pod in self.of("Pod", job)]
        return [manifest for manifest, pod in pods if pod is not None and pod.works]

    async def left_over(self) -> list[str]:
        """What is there of jobs, asked anew."""
        paths = [collection_path(kind, self._namespace) for kind in CHILDREN]
        paths.append(_REPLICA_SETS.format(self._namespace))
        lists = await asyncio.gather(*(self._client.list(path, LABEL_JOB) for path in paths))
        names = zip((*CHILDREN, "ReplicaSet"), lists, strict=True)
        return [f"{kind}/{o['metadata']['name']}" for kind, found in names for o in found]

    def _listed(self, kind: str) -> Callable[[Sequence[Object]], None]:
        def listed(items: Sequence[Object]) -> None:
            there = {item["metadata"]["uid"] for item in items}
            for uid in self.objects[kind].keys() - there:
                self._gone(kind, self.objects[kind][uid])
            for item in _by_version(items):
                self._enter(kind, item)

        return listed

    def _happened(self, kind: str) -> Callable[[str, Object], None]:
        def happened(event: str, item: Object) -> None:
            if event == "DELETED":
                self._gone(kind, item)
            else:
                self._enter(kind, item)

        return happened

    def _enter(self, kind: str, item: Object) -> None:
        metadata = item["metadata"]
        uid, before = metadata["uid"], self.objects[kind].get(metadata["uid"])
        self.objects[kind][uid] = item
        job = metadata["name"] if kind == JOB else metadata["labels"][LABEL_JOB]
        said = _told(kind, item)
        if before is None or said != _told(kind, before):
            self._history.note(job, f"{kind} {metadata['name']}: {said}")
        if kind == JOB:
            self.invariants.job(item)
        elif kind == "Pod":
            self.invariants.pod(item)
        else:
            for owner in metadata.get("ownerReferences") or []:
                self.invariants.made(kind, job, owner["uid"], metadata["name"], uid)

    def _gone(self, kind: str, item: Object) -> None:
        metadata = item["metadata"]
        self.objects[kind].pop(metadata["uid"], None)
        job = metadata["name"] if kind == JOB else metadata["labels"][LABEL_JOB]
        self._history.note(job, f"{kind} {metadata['name']}: gone")
        if kind == "Pod":
            self.invariants.pod_gone(metadata["uid"])


def _by_version(items: Iterable[Object]) -> list[Object]:
    return sorted(items, key=lambda item: int(item["metadata"]["resourceVersion"]))


def _told(kind: str, item: Object) -> str:
    """What a history says of an object."""
    metadata, status = item["metadata"], item.get("status") or {}
    if kind == JOB:
        stages = " ".join(
            f"{stage['name']}={stage.get('state')}/{stage.get('attempts', 0)}"
            for stage in status.get("stages") or []
        )
        parts = [
            f"generation {metadata['generation']}",
            status.get("phase", "new"),
            f"run {(status.get('run') or {}).get('id')}",
            stages,
            f"restarts {status.get('restarts')}",
            f"serving {(status.get('serving') or {}).get('revision')}",
        ]
        return ", ".join(parts)
    deleting = " (deleting)" if "deletionTimestamp" in metadata else ""
    if kind == "Pod":
        stage = metadata["labels"].get(LABEL_STAGE)
        return f"{status.get('phase', 'Pending')}{deleting} [{stage} {metadata['uid'][:8]}]"
    if kind == "Deployment":
        ready, wanted = status.get("readyReplicas", 0), item["spec"].get("replicas")
        return f"{ready} of {wanted} ready{deleting}"
    if kind == "Service":
        return f"leads to {item['spec'].get('selector')}{deleting}"
    return f"there{deleting}"
