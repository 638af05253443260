"""The jobs as the API server has them, each as the little that decisions need.

They come by kopf's watch and by the answers to our own writes; the newer counts, so that our
writes are known at once and their echoes are no news. Spec and status are kept as bytes: as
objects they would need many times that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern
from typing import Any

import orjson
from pydantic import ValidationError

from trainyard_api.ahead import parse_known
from trainyard_api.names import ANNOTATION_REDEPLOY, ANNOTATION_RETRAIN
from trainyard_api.problem import Problem
from trainyard_api.problems import InvalidJob, explain
from trainyard_api.spec import Metadata, TrainingJob, TrainingJobSpec
from trainyard_api.status import TrainingJobStatus
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.recent import remember
from trainyard_operator.hands.cluster.versions import number_of

_ASKED = (ANNOTATION_RETRAIN, ANNOTATION_REDEPLOY)
_NOTHING: Mapping[str, str] = {}
_PARSED = 512
"""Specs, and jobs, that are kept parsed: those that something happens to."""


@dataclass(slots=True)
class _Kept:
    version: str
    uid: str
    generation: int
    deleted: str | None
    annotations: Mapping[str, str]
    phase: str
    spec: bytes
    status: bytes

    def same_as(self, other: _Kept) -> bool:
        """Whether nothing that decisions need has changed."""
        return (self.uid, self.spec, self.status, self.deleted, self.annotations) == (
            other.uid,
            other.spec,
            other.status,
            other.deleted,
            other.annotations,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A job as it is, and the fields of its spec that this version does not know."""

    job: TrainingJob
    unknown: tuple[str, ...]


class Jobs:
    """What is known of jobs."""

    def __init__(self) -> None:
        self._jobs: dict[Key, _Kept] = {}
        self._parsed: dict[Key, Asked] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, key: Key) -> bool:
        return key in self._jobs

    def keys(self) -> set[Key]:
        """All jobs."""
        return set(self._jobs)

    def phases(self) -> Counter[str]:
        """How many jobs there are of each phase."""
        return Counter(job.phase for job in self._jobs.values())

    def happened(self, manifest: Manifest) -> Key | None:
        """A job as the API server has it; its key, where that is news."""
        key, new = _key(manifest), _keep(manifest)
        old = self._jobs.get(key)
        if old is None:
            self._jobs[key] = new
            return key
        version = number_of(new.version)
        if version and version <= number_of(old.version):
            return None
        self._jobs[key] = new
        return None if new.same_as(old) else key

    def written(self, key: Key, job: TrainingJob, metadata: Manifest, status: Manifest) -> None:
        """We have written a job's status.

        An answer may come after the watch has said that the job is gone, so it makes no job.

        Args:
            key: of the job.
            job: with the status as it was decided upon.
            metadata: of the job, by the API server's answer.
            status: all of it, as it stands there now.
        """
        old, version = self._jobs.get(key), str(metadata["resourceVersion"])
        if old is None or old.uid != metadata["uid"]:
            return
        if 0 < number_of(version) <= number_of(old.version):
            return
        phase = intern(str(status.get("phase", "Pending")))
        self._jobs[key] = replace(old, version=version, status=orjson.dumps(status), phase=phase)
        if old.version == job.metadata.resourceVersion and (asked := self._parsed.get(key)):
            metadata_now = job.metadata.model_copy(update={"resourceVersion": version})
            job = job.model_copy(update={"metadata": metadata_now})
            remember(self._parsed, key, replace(asked, job=job), _PARSED)

    def gone(self, key: Key, uid: str) -> bool:
        """A job is gone; whether it was known. Its name may be that of another by now."""
        kept = self._jobs.get(key)
        if kept is None or kept.uid != uid:
            return False
        self._forget(key)
        return True

    def listed(self, there: Iterable[Manifest], resource_version: str) -> set[Key]:
        """All jobs that there are at a moment, by their metadata.

        Returns:
            The jobs that were known and are gone: a watch misses what is deleted while it is
            away.
        """
        uids = {manifest["metadata"]["uid"] for manifest in there}
        moment = number_of(resource_version)
        gone = {
            key
            for key, kept in self._jobs.items()
            if kept.uid not in uids and number_of(kept.version) <= moment
        }
        for key in gone:
            self._forget(key)
        return gone

    def uid(self, key: Key) -> str:
        """Of a job that is known; empty else."""
        kept = self._jobs.get(key)
        return kept.uid if kept is not None else ""

    def version(self, key: Key) -> str:
        """The resourceVersion of a job; empty where it is not known."""
        kept = self._jobs.get(key)
        return kept.version if kept is not None else ""

    def status(self, key: Key) -> Manifest:
        """The status as it was written, by whichever version of the operator."""
        kept = self._jobs.get(key)
        status: Manifest = orjson.loads(kept.status) if kept is not None else {}
        return status

    def managed_by(self, key: Key) -> str | None:
        """What runPolicy says of a job that may be no valid one otherwise."""
        kept = self._jobs.get(key)
        spec = orjson.loads(kept.spec) if kept is not None else {}
        policy = spec.get("runPolicy") if isinstance(spec, dict) else None
        return policy.get("managedBy") if isinstance(policy, dict) else None

    def look(self, key: Key) -> Asked | None:
        """A job; None where there is none.

        Raises:
            InvalidJob: what this version knows of it is wrong.
        """
        kept = self._jobs.get(key)
        if kept is None:
            return None
        asked = self._parsed.get(key)
        if asked is None or asked.job.metadata.resourceVersion != kept.version:
            asked = _parse(key, kept)
            remember(self._parsed, key, asked, _PARSED)
        return asked

    def _forget(self, key: Key) -> None:
        del self._jobs[key]
        self._parsed.pop(key, None)


def _key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return Key(intern(metadata["namespace"]), metadata["name"])


def _keep(manifest: Manifest) -> _Kept:
    metadata: dict[str, Any] = manifest["metadata"]
    annotations = metadata.get("annotations") or {}
    status = manifest.get("status") or {}
    return _Kept(
        version=metadata["resourceVersion"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 1),
        deleted=metadata.get("deletionTimestamp"),
        annotations={k: annotations[k] for k in _ASKED if k in annotations} or _NOTHING,
        phase=intern(str(status.get("phase", "Pending"))),
        spec=orjson.dumps(manifest.get("spec") or {}),
        status=orjson.dumps(status),
    )


def _parse(key: Key, kept: _Kept) -> Asked:
    """A job.

    Raises:
        InvalidJob: what this version knows of it is wrong.
    """
    spec, unknown = _parse_spec(kept.spec)
    content = {
        "name": key.name,
        "namespace": key.namespace,
        "uid": kept.uid,
        "generation": kept.generation,
        "resourceVersion": kept.version,
        "deletionTimestamp": kept.deleted,
        "annotations": dict(kept.annotations),
    }
    try:
        metadata = Metadata.model_validate(content)
    except ValidationError as error:
        raise InvalidJob(explain(error, "metadata")) from error
    try:
        status = TrainingJobStatus.model_validate_json(kept.status)
    except ValidationError as error:
        said = "; ".join(str(problem) for problem in explain(error, "status"))
        problem = f"is not as this version writes it: {said}"
        raise InvalidJob([Problem("status", problem)]) from error
    return Asked(TrainingJob.model_construct(metadata=metadata, spec=spec, status=status), unknown)


@lru_cache(maxsize=_PARSED)
def _parse_spec(spec: bytes) -> tuple[TrainingJobSpec, tuple[str, ...]]:
    return parse_known(orjson.loads(spec))
