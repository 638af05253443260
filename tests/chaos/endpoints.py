"""An endpoint that has answered goes on answering: its Service leads to pods that are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from benchmarks.controlplane.api import Object
from tests.chaos.client import Client
from tests.chaos.history import History
from tests.chaos.observer import JOB, Observer
from trainyard_api.names import LABEL_JOB
from trainyard_operator.hands.cluster.resources import collection_path, object_path

_LOOK_SECONDS = 0.5
_SAMPLES = 3
"""Looks that have to agree: what the observer has of Services and pods is not of one moment."""


def leads_to_ready(service: Object, pods: Iterable[Object]) -> bool:
    """Whether a Service selects a pod that is ready and is not about to go."""
    selector = service["spec"].get("selector") or {}
    return bool(selector) and any(
        selector.items() <= (pod["metadata"].get("labels") or {}).items() and is_ready(pod)
        for pod in pods
    )


def is_ready(pod: Object) -> bool:
    """Whether a pod takes requests."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


class Endpoints:
    """Looks at the endpoints of all jobs."""

    def __init__(
        self, client: Client, namespace: str, observer: Observer, history: History
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._observer = observer
        self._history = history
        self._answered: set[str] = set()
        """Uids of jobs that had a revision that was ready."""
        self._told: set[str] = set()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for job in list(self._observer.objects[JOB].values()):
                await self._look(job)

    async def _look(self, job: Object) -> None:
        uid, serving = job["metadata"]["uid"], (job.get("status") or {}).get("serving") or {}
        if serving.get("state") == "Serving" and serving.get("readyReplicas", 0) > 0:
            self._answered.add(uid)
        if uid not in self._answered or uid in self._told or not self._wants(job):
            return
        name = job["metadata"]["name"]
        service = next((s for s in self._services(name)), None)
        if service is not None and leads_to_ready(service, self._observer.of("Pod", name)):
            return
        for _ in range(_SAMPLES):
            if await self._sample(name) is not False:
                return
            await asyncio.sleep(0.1)
        path = object_path(JOB, self._namespace, name)
        now = await self._client.get(path)
        if now is not None and now["metadata"]["uid"] == uid and self._wants(now):
            self._told.add(uid)
            self._history.violation(name, "its endpoint has answered, and answers no longer")

    def _wants(self, job: Object) -> bool:
        going = "deletionTimestamp" in job["metadata"]
        return not going and job["spec"].get("serving") is not None

    def _services(self, job: str) -> list[Object]:
        return [s for s in self._observer.of("Service", job) if s["metadata"]["name"] == job]

    async def _sample(self, job: str) -> bool | None:
        """Whether it answers; None where it changed while it was looked at."""
        path = object_path("Service", self._namespace, job)
        service = await self._client.get(path)
        pods = await self._client.list(
            collection_path("Pod", self._namespace), f"{LABEL_JOB}={job}"
        )
        again = await self._client.get(path)
        if service is None or again is None:
            return False if service is None and again is None else None
        if service["metadata"]["resourceVersion"] != again["metadata"]["resourceVersion"]:
            return None
        return leads_to_ready(service, pods)
