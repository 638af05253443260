"""What there is of a job, read from the API server when a watch says that it changed.

Nothing is taken from a cache that a watch fills: a watch can miss a deletion while it
reconnects, and a ghost of a pod would decide. What was read is kept, in its few fields, only
until the next event of the job, so that a look at the live progress costs no request; and not
for long, since no event comes of what was deleted while a watch reconnected.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import aiohttp

from trainyard_api.names import ANNOTATION_REDEPLOY, ANNOTATION_RETRAIN, KIND, LABEL_JOB, run_hash
from trainyard_api.problems import parse_job_object
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Progress
from trainyard_operator.brain.observed import Observed, PodView, Refusal
from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.views import (
    deployment_view,
    is_owned,
    pod_view,
    policy_view,
    service_view,
)
from trainyard_operator.hands.progress import read_progress

log = logging.getLogger(__name__)


class Observer:
    """Reads what there is of jobs."""

    def __init__(
        self, api: Api, session: aiohttp.ClientSession, keep_seconds: float = 300.0
    ) -> None:
        """Args:
        api: the API server.
        session: for live progress.
        keep_seconds: how long what was read is believed without an event.
        """
        self._api = api
        self._session = session
        self._keep_seconds = keep_seconds
        self._kept: dict[Key, Observed] = {}
        self._read_at: dict[Key, float] = {}
        self._reading: dict[Key, bool] = {}
        """Keys that are being read, and whether they have changed since that began."""
        self._stored: dict[Key, Manifest] = {}
        self._taken: dict[Key, frozenset[ObjectRef]] = {}
        self._refused: dict[Key, tuple[str, int, Refusal]] = {}
        """By the uid and the generation that asked for it: a namesake is another job."""

    def forget(self, key: Key) -> None:
        """What is known of a job has changed; what is just being read of it may be older."""
        self._kept.pop(key, None)
        self._read_at.pop(key, None)
        if key in self._reading:
            self._reading[key] = True

    def knows(self, key: Key, resource_version: str) -> bool:
        """Whether that version of the job is the one that decisions are made from."""
        kept = self._kept.get(key)
        return kept is not None and kept.job.metadata.resourceVersion == resource_version

    def phases(self) -> list[str]:
        """The phase of each job that was looked at."""
        return [str(status.get("phase", "Pending")) for status in self._stored.values()]

    async def observe(self, key: Key) -> Observed | None:
        """What there is of a job; None where the job is gone.

        Raises:
            InvalidJob: the job is not one of this version's.
        """
        if time.monotonic() >= self._read_at.get(key, 0.0) + self._keep_seconds:
            self.forget(key)
        observed = self._kept.get(key) or await self._read_and_keep(key)
        if observed is None:
            return None
        return replace(observed, progress=await self._progress(observed))

    def stored_status(self, key: Key) -> Manifest:
        """The status as the API server has it, without the defaults that the models fill in."""
        return self._stored.get(key, {})

    def written(self, key: Key, job: Manifest) -> None:
        """The job as the API server has it after our write."""
        self._stored[key] = job.get("status") or {}
        if (kept := self._kept.get(key)) is not None:
            self._kept[key] = replace(kept, job=_parse(job))

    def taken(self, key: Key, ref: ObjectRef) -> None:
        """A name that the job wants is taken by something that is not its own."""
        self._taken[key] = self._taken.get(key, frozenset()) | {ref}
        self.forget(key)

    def refused(self, key: Key, job: TrainingJob, refusal: Refusal) -> None:
        """The API server did not take an object of the job's, as that generation asks for it."""
        self._refused[key] = (job.metadata.uid, job.metadata.generation, refusal)
        self.forget(key)

    def accepted(self, key: Key) -> None:
        """The API server has taken all that a plan wanted: what it denied for now is past."""
        if key in self._refused and not self._refused[key][2].invalid:
            del self._refused[key]

    async def _read_and_keep(self, key: Key) -> Observed | None:
        """What there is of a job; kept only if no event came meanwhile, which it may lack."""
        self._reading[key] = False
        began = time.monotonic()
        try:
            observed = await self._read(key)
        finally:
            changed = self._reading.pop(key)
        if observed is not None and not changed:
            self._kept[key] = observed
            self._read_at[key] = began
        return observed

    async def _read(self, key: Key) -> Observed | None:
        manifest = await self._api.get(KIND, key.namespace, key.name)
        if manifest is None:
            self._stored.pop(key, None)
            self._taken.pop(key, None)
            self._refused.pop(key, None)
            return None
        self._stored[key] = manifest.get("status") or {}
        job = _parse(manifest)
        label = f"{LABEL_JOB}={key.name}"
        kinds = ("Pod", "Service", "Deployment", "NetworkPolicy")
        lists = await asyncio.gather(*(self._api.list(k, key.namespace, label) for k in kinds))
        pods, services, deployments, policies = (items for items, _ in lists)
        own = job.metadata.uid
        return Observed(
            job=job,
            pods=[view for pod in pods if (view := pod_view(pod)) is not None],
            services=[v for s in services if is_owned(s, own) and (v := service_view(s))],
            deployments=[deployment_view(d) for d in deployments if is_owned(d, own)],
            policies=[policy_view(p) for p in policies if is_owned(p, own)],
            foreign=await self._foreign(key, own),
            refusals=self._refusals(key, job),
        )

    def _refusals(self, key: Key, job: TrainingJob) -> list[Refusal]:
        """What was refused, where the job still asks for it."""
        if key not in self._refused:
            return []
        uid, generation, refusal = self._refused[key]
        if (uid, generation) == (job.metadata.uid, job.metadata.generation):
            return [refusal]
        del self._refused[key]
        return []

    async def _foreign(self, key: Key, uid: str) -> frozenset[str]:
        """Of the names that were taken, those that still are."""
        still = set()
        for ref in self._taken.get(key, frozenset()):
            existing = await self._api.get(ref.kind, key.namespace, ref.name)
            if existing is not None and not is_owned(existing, uid):
                still.add(ref)
        self._taken[key] = frozenset(still)
        return frozenset(f"{ref.kind}/{ref.name}" for ref in still)

    async def _progress(self, observed: Observed) -> Progress | None:
        chief = running_chief(observed)
        if chief is None or not chief.address:
            return None
        return await read_progress(self._session, chief.address)


def running_chief(observed: Observed) -> PodView | None:
    """The pod that knows how far the stage under way is."""
    status = observed.job.status
    stage = next((s for s in status.stages if s.state in ("Starting", "Running")), None)
    if stage is None or status.run is None:
        return None
    wanted = (stage.name.lower(), run_hash(status.run.id), stage.attempts, 0, "Running")
    return next(
        (p for p in observed.pods if (p.stage, p.run, p.attempt, p.index, p.phase) == wanted),
        None,
    )


def _parse(manifest: Manifest) -> TrainingJob:
    """The job without the parts of its metadata that nothing depends on."""
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations") or {}
    asked = (ANNOTATION_RETRAIN, ANNOTATION_REDEPLOY)
    kept = {k: v for k, v in annotations.items() if k in asked}
    slim = {**manifest, "metadata": {**metadata, "annotations": kept}}
    return parse_job_object(slim)
