"""What a job's user does with it: submits, edits, deletes, and waits for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from benchmarks.controlplane.api import Object
from tests.chaos.client import STRATEGIC_MERGE, Client, Refused
from tests.chaos.history import History
from tests.chaos.invariants import index_of
from tests.chaos.observer import JOB, Observer
from trainyard_api.names import ANNOTATION_RETRAIN, LABEL_STAGE
from trainyard_operator.hands.cluster.resources import collection_path, object_path

_LOOK_SECONDS = 0.1
_A_MOMENT = 0.5


class User:
    """The user of one job; goes directly to the API server."""

    def __init__(
        self, client: Client, namespace: str, name: str, observer: Observer, history: History
    ) -> None:
        self._client = client
        self._namespace = namespace
        self.name = name
        self._observer = observer
        self._history = history

    async def submit(self, manifest: Object) -> None:
        """Create the job, and see it there."""
        self._note("create")
        await self._client.create(collection_path(JOB, self._namespace), manifest)
        await self.until(lambda job: job["spec"] is not None)

    async def edit(self, **spec: object) -> None:
        """Change fields of the spec; the next looks are at the job as changed."""
        self._note(f"edit {spec}")
        await self._patch({"spec": spec})

    async def retrain(self, value: str) -> None:
        """Ask for a new run of the same spec."""
        self._note(f"retrain {value}")
        await self._patch({"metadata": {"annotations": {ANNOTATION_RETRAIN: value}}})

    async def delete(self) -> None:
        """Delete the job, and see that it is gone."""
        if (job := self._observer.job(self.name)) is None:
            return
        uid = job["metadata"]["uid"]
        self._note("delete")
        await self._client.delete(object_path(JOB, self._namespace, self.name), uid)
        while uid in self._observer.objects[JOB]:
            await asyncio.sleep(_LOOK_SECONDS)

    async def phase(self, *phases: str, runs: int = 1) -> None:
        """Wait until the job is in a phase, in its run of that number."""

        def reached(job: Object) -> bool:
            status = job.get("status") or {}
            run = (status.get("run") or {}).get("id", "")
            return status.get("phase") in phases and run.startswith(f"{runs}-")

        await self.until(reached)

    async def begins(self) -> None:
        """Wait until the operator has begun with the job, and mostly is in the middle of it."""
        await self.until(lambda job: bool((job.get("status") or {}).get("run")))
        await asyncio.sleep(_A_MOMENT)

    async def trains(self) -> None:
        """Wait until the whole gang is seen to run, by the operator too."""

        def runs(job: Object) -> bool:
            stages = (job.get("status") or {}).get("stages") or [{}]
            return bool(stages[0].get("state") == "Running")

        await self.until(runs)

    async def no_pods(self) -> None:
        """Wait until no pod computes for the job."""
        while self._observer.computing(self.name):
            await asyncio.sleep(_LOOK_SECONDS)

    async def remove_pod(self, index: int, *, stage: str = "train", reason: str = "") -> None:
        """Delete a pod in the operator's back; with a reason, as an eviction."""
        pods = [p for p in self._observer.of("Pod", self.name) if _is(p, stage, index)]
        for pod in pods[:1]:
            metadata = pod["metadata"]
            path = object_path("Pod", self._namespace, metadata["name"])
            self._note(f"remove {metadata['name']} {reason}")
            for owner in metadata.get("ownerReferences") or []:
                self._observer.invariants.removed_by_others("Pod", owner["uid"], metadata["name"])
            if reason:
                condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
                patch = {"status": {"conditions": [condition]}}
                await self._client.patch(f"{path}/status", patch, STRATEGIC_MERGE)
            await self._client.delete(path, metadata["uid"])

    async def until(self, holds: Callable[[Object], bool]) -> None:
        """Wait until something holds of the job."""
        while (job := self._observer.job(self.name)) is None or not holds(job):
            await asyncio.sleep(_LOOK_SECONDS)

    async def _patch(self, patch: Object) -> None:
        try:
            await self._client.patch(object_path(JOB, self._namespace, self.name), patch)
        except Refused as error:
            self._history.violation(self.name, f"the API server refuses an edit: {error}")

    def _note(self, text: str) -> None:
        self._history.note(self.name, f"-- {text}")


def _is(pod: Object, stage: str, index: int) -> bool:
    return pod["metadata"]["labels"].get(LABEL_STAGE) == stage and index_of(pod) == index
