"""Carries plans out by the API."""

from __future__ import annotations

import logging
import time

from trainyard_api.names import API_VERSION, KIND
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain import times
from trainyard_operator.brain.observed import Refusal
from trainyard_operator.brain.plan import Event, Manifest, ObjectRef, Plan
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.changes import merge_patch
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.observer import Observer
from trainyard_operator.hands.cluster.views import is_owned

log = logging.getLogger(__name__)

_INVALID = (400, 422)
"""Statuses of an object that will never be taken as it is."""
_FORBIDDEN = 403
"""Status where a quota is used up, or a policy of the cluster forbids the object."""


class NotYet(Exception):
    """Something has to happen in the cluster first; the plan is made again soon."""


class Actor:
    """Carries plans out."""

    def __init__(self, api: Api, observer: Observer) -> None:
        self._api = api
        self._observer = observer

    async def carry_out(self, key: Key, job: TrainingJob, plan: Plan) -> None:
        """Status first, so that what was decided survives this process; then the objects.

        Raises:
            ApiError: status 409 where the job has changed since it was read: decide again.
            NotYet: the name of an object is still held by one that is being deleted, or the API
                server does not take the object.
        """
        version = await self._write_status(key, job, plan)
        try:
            await self._act(key, job, plan, version)
        finally:
            for event in plan.events:
                await self._record(key, job, event)

    async def _act(self, key: Key, job: TrainingJob, plan: Plan, version: str) -> None:
        for manifest in plan.replace:
            await self._replace(key, job, manifest)
        for ref in plan.delete:
            log.info("delete %s %s", ref.kind, ref.name, extra={"job": str(key)})
            decided_upon = version if ref.kind == KIND else None
            await self._api.delete(key.namespace, ref, version=decided_upon)
        for manifest in plan.create:
            await self._create(key, job, manifest)
        if plan.delete or plan.replace or plan.create:
            self._observer.accepted(key)
            self._observer.forget(key)

    async def _write_status(self, key: Key, job: TrainingJob, plan: Plan) -> str:
        """Write what has changed; the version of the job that has the status of the plan.

        A plan that changes nothing writes nothing, not even defaults: the status of a job that
        others manage is theirs.
        """
        patch = merge_patch(self._observer.stored_status(key), plan.status.to_dict())
        if not patch or plan.status == job.status:
            return job.metadata.resourceVersion
        body = {
            "metadata": {"resourceVersion": job.metadata.resourceVersion},
            "status": patch,
        }
        written = await self._api.patch_status(key.namespace, ObjectRef(KIND, key.name), body)
        self._observer.written(key, written)
        return str(written["metadata"]["resourceVersion"])

    async def _replace(self, key: Key, job: TrainingJob, manifest: Manifest) -> None:
        try:
            await self._api.apply(manifest)
        except ApiError as error:
            self._note_refusal(key, job, manifest, error)
            raise

    async def _create(self, key: Key, job: TrainingJob, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        try:
            await self._api.create(manifest)
            log.info("create %s %s", kind, name, extra={"job": str(key)})
        except ApiError as error:
            if error.status != 409:
                self._note_refusal(key, job, manifest, error)
                raise
            await self._explain_conflict(key, job, ObjectRef(kind, name))

    def _note_refusal(
        self, key: Key, job: TrainingJob, manifest: Manifest, error: ApiError
    ) -> None:
        """Let the next decision say what the API server has against an object.

        Raises:
            NotYet: it has something against it.
        """
        if error.status not in (*_INVALID, _FORBIDDEN) or error.ordinary:
            return
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        refusal = Refusal(kind, name, str(error), invalid=error.status in _INVALID)
        self._observer.refused(key, job, refusal)
        raise NotYet(f"{kind}/{name} is refused: {error}") from error

    async def _explain_conflict(self, key: Key, job: TrainingJob, ref: ObjectRef) -> None:
        """The name is taken: by ourselves (fine), by what is about to go, or by others."""
        existing = await self._api.get(ref.kind, key.namespace, ref.name)
        if existing is None:
            raise NotYet(f"{ref.kind} {ref.name} has just been deleted")
        if is_owned(existing, job.metadata.uid):
            return
        owners = existing["metadata"].get("ownerReferences") or []
        namesake = any(o["kind"] == KIND and o["name"] == key.name for o in owners)
        if namesake or "deletionTimestamp" in existing["metadata"]:
            raise NotYet(f"{ref.kind} {ref.name} of an earlier job is being deleted")
        self._observer.taken(key, ref)
        raise NotYet(f"{ref.kind} {ref.name} belongs to something else")

    async def _record(self, key: Key, job: TrainingJob, event: Event) -> None:
        """Record an event. One that cannot be recorded costs nothing but itself."""
        log.info("%s: %s", event.reason, event.message, extra={"job": str(key)})
        try:
            await self._api.create(build_event(job, event, time.time()))
        except ApiError as error:
            log.warning("event not recorded: %s", error, extra={"job": str(key)})


def build_event(job: TrainingJob, event: Event, now: float) -> Manifest:
    """An Event as `kubectl describe` shows it."""
    metadata, when = job.metadata, times.to_text(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "namespace": metadata.namespace,
            "name": f"{metadata.name}.{int(now * 1e6):x}",
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": metadata.namespace,
            "name": metadata.name,
            "uid": metadata.uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": "trainyard"},
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
    }
