"""Carries plans out by the API, and enters what the API server answers where it is looked up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from trainyard_api.names import KIND, LABEL_STAGE
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.observed import Observed, Refusal
from trainyard_operator.brain.plan import Manifest, ObjectRef, Plan
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.changes import carried_over
from trainyard_operator.hands.cluster.children import Children
from trainyard_operator.hands.cluster.events import Events
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.notes import Notes
from trainyard_operator.hands.cluster.replacements import Replacements
from trainyard_operator.hands.cluster.views import is_owned

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 8
"""Requests of one plan at a time: fewer than all jobs have together, for a webhook may be slow."""
_FIRST_CREATIONS = 8
"""Pods that are created at first; where all of them are taken, twice as many follow. What the API
server refuses of a thousand pods, it refuses of the first."""
_INVALID = (400, 422)
"""Statuses of an object that will never be taken as it is."""
_FORBIDDEN = 403
"""Status where a quota is used up, or a policy of the cluster forbids the object."""
_CONFLICT = 409
_NOT_FOUND = 404


class NotYet(Exception):
    """Something has to happen in the cluster first; the plan is made again soon."""


class Outdated(Exception):
    """The job is no longer as it was when the plan was made; decide again at once."""


class Actor:
    """Carries plans out."""

    def __init__(
        self, api: Api, jobs: Jobs, children: Children, notes: Notes, events: Events
    ) -> None:
        self._api = api
        self._jobs = jobs
        self._children = children
        self._notes = notes
        self._events = events
        self._replacements = Replacements()

    async def carry_out(self, key: Key, observed: Observed, plan: Plan) -> bool:
        """Status first, so that what was decided survives this process; then the objects.

        Returns:
            Whether anything was changed, from which more may follow.

        Raises:
            Outdated: the job has changed since the plan was made.
            NotYet: the name of an object is still held by one that is being deleted, or the API
                server does not take the object.
            ApiError, ApiUnavailable: as the API server has it.
        """
        job = observed.job
        written = await self._write_status(key, job, plan)
        acts = bool(plan.replace or plan.delete or plan.create)
        if acts and not written:
            await self._check(key, job)
        for event in plan.events:
            self._events.tell(key, job, event)
        if not acts:
            return written
        acted = await self._act(key, job, plan)
        self._notes.carried_out(key)
        return written or acted

    async def refuse(self, key: Key, condition: Manifest) -> None:
        """Write why a job can be no job of this version's, whatever else its status says."""
        status = self._jobs.status(key)
        others = [c for c in status.get("conditions") or [] if c["type"] != condition["type"]]
        refused = {**status, "phase": "Failed", "conditions": [*others, condition]}
        await self._update_status(key, self._jobs.version(key), refused)
        await self._read_again(key)

    async def look_at_names(self, key: Key, job: TrainingJob) -> None:
        """See whether names that belonged to something else still do."""
        for ref in self._notes.doubtful(key, time.monotonic()):
            existing = await self._api.get(ref.kind, key.namespace, ref.name)
            if existing is None or is_owned(existing, job.metadata.uid):
                self._notes.free(key, ref)
            else:
                self._notes.taken(key, job, ref, time.monotonic())

    async def _check(self, key: Key, job: TrainingJob) -> None:
        """See that the job is there and as it was decided upon.

        A plan that writes status is checked by that. Of one that does not, the job may have been
        deleted while the watch was away.

        Raises:
            Outdated: it is not.
        """
        await self._read_again(key)
        if self._jobs.version(key) != job.metadata.resourceVersion:
            raise Outdated("the job has changed")

    async def _write_status(self, key: Key, job: TrainingJob, plan: Plan) -> bool:
        """Write what has changed; a plan that changes nothing writes nothing, not even defaults:
        the status of a job that others manage is theirs."""
        if plan.status is job.status or plan.status == job.status:
            return False
        old = self._jobs.status(key)
        new = carried_over(old, job.status.to_dict(), plan.status.to_dict())
        if new == old:
            return False
        answer = await self._update_status(key, job.metadata.resourceVersion, new)
        decided = job.model_copy(update={"status": plan.status})
        self._jobs.written(key, decided, answer["metadata"], new)
        return True

    async def _update_status(self, key: Key, version: str, status: Manifest) -> Manifest:
        """Write a status; the answer has the job's metadata."""
        try:
            return await self._api.update_status(key.namespace, key.name, version, status)
        except ApiError as error:
            if error.status not in (_CONFLICT, _NOT_FOUND):
                raise
            await self._read_again(key)
            raise Outdated("the job has changed") from error

    async def _read_again(self, key: Key) -> None:
        """See what has become of a job of which our knowledge is outdated."""
        uid = self._jobs.uid(key)
        manifest = await self._api.get(KIND, key.namespace, key.name)
        if manifest is None:
            self._jobs.gone(key, uid)
        else:
            self._jobs.happened(manifest)

    async def _act(self, key: Key, job: TrainingJob, plan: Plan) -> bool:
        """Change objects; whether anything was to be changed that may be.

        What the API server does not take of the endpoint holds up the endpoint alone, neither a
        gang that is to begin nor one that is to end.
        """
        replace = [m for m in plan.replace if self._replacements.may(key, m)]
        held: list[tuple[Manifest, NotYet]] = []
        for manifest in replace:
            await _unless_not_yet(held, manifest, partial(self._replace, key, job, manifest))
        # What a Service leads to goes only when it has been led on.
        delete = [ref for ref in plan.delete if ref.kind == "Pod" or not held]
        if delete:
            log.info("delete %s", _listed(delete), extra={"job": str(key)})
            await _side_by_side([partial(self._delete, key, job, ref) for ref in delete])
        pods = [manifest for manifest in plan.create if manifest["kind"] == "Pod"]
        others = [manifest for manifest in plan.create if manifest["kind"] != "Pod"]
        await _side_by_side(
            [
                partial(_unless_not_yet, held, manifest, partial(self._create, key, job, manifest))
                for manifest in others
            ]
        )
        if any(manifest["metadata"]["labels"][LABEL_STAGE] != "serve" for manifest, _ in held):
            raise held[0][1]
        at_a_time = _FIRST_CREATIONS
        while pods:
            now, pods = pods[:at_a_time], pods[at_a_time:]
            await _side_by_side([partial(self._create, key, job, manifest) for manifest in now])
            at_a_time *= 2
        if plan.create:
            refs = [ObjectRef(m["kind"], m["metadata"]["name"]) for m in plan.create]
            log.info("created %s", _listed(refs), extra={"job": str(key)})
        if held:
            raise held[0][1]
        return bool(replace or plan.delete or plan.create)

    async def _delete(self, key: Key, job: TrainingJob, ref: ObjectRef) -> None:
        if ref.kind == KIND:
            version = self._jobs.version(key) or job.metadata.resourceVersion
            await self._api.delete(key.namespace, ref, version=version)
            return
        uid = self._children.uid(key.namespace, ref)
        try:
            answer = await self._api.delete(key.namespace, ref, uid=uid or None)
        except ApiError as error:
            if error.status != _CONFLICT or await self._is_there(key, ref, uid):
                raise
            answer = None  # Another has its name: ours is gone.
        self._children.deleted(key.namespace, ref, uid, answer)

    async def _is_there(self, key: Key, ref: ObjectRef, uid: str) -> bool:
        """Whether an object is there that could not be deleted: webhooks too say Conflict.

        One that is taken for gone is never looked at again, and would run on.
        """
        existing = await self._api.get(ref.kind, key.namespace, ref.name)
        return existing is not None and existing["metadata"]["uid"] == uid

    async def _replace(self, key: Key, job: TrainingJob, manifest: Manifest) -> None:
        try:
            self._children.written(await self._api.apply(manifest))
            self._replacements.done(key, manifest)
        except ApiError as error:
            self._note_refusal(key, job, manifest, error)
            raise

    async def _create(self, key: Key, job: TrainingJob, manifest: Manifest) -> None:
        try:
            answer = await self._api.create(manifest)
            self._children.written({**manifest, "metadata": answer["metadata"]})
        except ApiError as error:
            if error.status != _CONFLICT:
                self._note_refusal(key, job, manifest, error)
                raise
            ref = ObjectRef(manifest["kind"], manifest["metadata"]["name"])
            await self._explain_conflict(key, job, ref)

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
        self._notes.refused(key, job, refusal)
        raise NotYet(f"{kind}/{name} is refused: {error}") from error

    async def _explain_conflict(self, key: Key, job: TrainingJob, ref: ObjectRef) -> None:
        """The name is taken: by ourselves (fine), by what is about to go, or by others."""
        existing = await self._api.get(ref.kind, key.namespace, ref.name)
        if existing is None:
            raise NotYet(f"{ref.kind} {ref.name} has just been deleted")
        if is_owned(existing, job.metadata.uid):
            self._children.written(existing)
            return
        owners = existing["metadata"].get("ownerReferences") or []
        namesake = any(o["kind"] == KIND and o["name"] == key.name for o in owners)
        if namesake or "deletionTimestamp" in existing["metadata"]:
            raise NotYet(f"{ref.kind} {ref.name} of an earlier job is being deleted")
        self._notes.taken(key, job, ref, time.monotonic())
        raise NotYet(f"{ref.kind} {ref.name} belongs to something else")


async def _unless_not_yet(
    held: list[tuple[Manifest, NotYet]], manifest: Manifest, request: Callable[[], Awaitable[None]]
) -> None:
    """Make a request for an object, and keep what holds it up for later."""
    try:
        await request()
    except NotYet as error:
        held.append((manifest, error))


async def _side_by_side(requests: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make requests, some at a time; all of them are made, and the first error is raised.

    What is no error but a matter of time comes last.
    """
    if len(requests) == 1:
        await requests[0]()
        return
    free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def make(request: Callable[[], Awaitable[None]]) -> None:
        async with free:
            await request()

    ends = await asyncio.gather(*(make(r) for r in requests), return_exceptions=True)
    errors = [end for end in ends if isinstance(end, BaseException)]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, NotYet))


def _listed(refs: Sequence[ObjectRef]) -> str:
    """Names for a log line; a gang may have a thousand."""
    names = [f"{ref.kind}/{ref.name}" for ref in refs[:8]]
    more = f" and {len(refs) - 8} more" if len(refs) > 8 else ""
    return ", ".join(names) + more
