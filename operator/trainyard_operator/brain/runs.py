"""Which run a spec asks for, and what each of its stages follows from.

A run is what its model follows from: where any of that changes, a new run begins. The uid is
part of it, so that a job that was deleted and created again never meets the checkpoints of
its namesake. What is left of the spec never trains anew; it only lets a stage that has failed
be tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from trainyard_api.memo import by_identity
from trainyard_api.model import Document
from trainyard_api.names import ANNOTATION_RETRAIN, run_hash
from trainyard_api.spec import TrainingJob, TrainingJobSpec
from trainyard_api.status import Run, StageName

_DECIDING = ("data", "model", "training", "evaluation", "search", "compression", "explanation")
_LIMITS = (
    "schedulerName",
    "priorityClassName",
    "backoffLimit",
    "infrastructureRestartLimit",
    "startTimeoutSeconds",
    "activeDeadlineSeconds",
)
"""Fields of runPolicy by which a stage can fail."""
_LOST_RUNS = 100
"""How many runs a job may have had whose status was erased."""


def wanted_hash(job: TrainingJob, counter: int) -> str:
    """Six hexadecimal digits that change when a new run has to begin.

    Args:
        job: the job.
        counter: how many runs it has had, this one included; objects are named by the hash
            alone, and two runs of one spec must not share them.
    """
    storage = job.spec.storage.uri if job.spec.storage else None
    retrain = job.metadata.annotations.get(ANNOTATION_RETRAIN)
    return _run_digest(_deciding(job.spec), job.metadata.uid, counter, retrain, storage)


def stage_hash(job: TrainingJob, name: StageName) -> str:
    """What a stage follows from beside its run: six hexadecimal digits of what it is made from, and
    six of the limits by which it can fail."""
    serving, working, limits = _stage_contents(job.spec)
    return f"{serving if name == 'Serve' else working}-{limits}"


def has_changed(hash_before: str | None, job: TrainingJob, name: StageName) -> bool:
    """Whether a stage follows from something else now.

    It has not where an earlier version has tried it, and what it followed from is not known.
    """
    known = hash_before is not None and "-" in hash_before
    return known and hash_before != stage_hash(job, name)


def failed_hash(hash_before: str, job: TrainingJob, name: StageName) -> str:
    """The hash of a stage that fails now: by the limits of now, whatever they were when it began.

    Pods are made from what was asked for then; a rollout follows what is asked for all along.
    """
    now = stage_hash(job, name)
    made_from = now if name == "Serve" else hash_before
    return f"{made_from.partition('-')[0]}-{now.partition('-')[2]}"


def next_run(job: TrainingJob, there: Collection[str] = ()) -> Run:
    """The run that follows the one in status.

    Args:
        job: the job.
        there: hashes of the runs that the job has objects of. Where somebody has erased the
            status, the run that goes on is among them, and is found again.
    """
    first = _counter(job.status.run) + 1
    for counter in range(first, first + _LOST_RUNS) if there else ():
        if (found := wanted_hash(job, counter)) in there:
            return Run(id=f"{counter}-{found}")
    return Run(id=f"{first}-{wanted_hash(job, first)}")


def is_current(job: TrainingJob) -> bool:
    """Whether status speaks of the run that the spec asks for."""
    run = job.status.run
    return run is not None and run_hash(run.id) == wanted_hash(job, _counter(run))


@by_identity
def _deciding(spec: TrainingJobSpec) -> str:
    """What of a spec a run follows from, as JSON."""
    parts = {name: getattr(spec, name) for name in _DECIDING}
    said = {name: _said(part) if part is not None else None for name, part in parts.items()}
    if spec.code is not None:
        # By what it is, wherever it lies.
        said["code"] = {"sha256": spec.code.sha256}
    return json.dumps(said)


@lru_cache(maxsize=4096)
def _run_digest(
    deciding: str, uid: str, counter: int, retrain: str | None, storage: str | None
) -> str:
    content = json.loads(deciding)
    return _digest(
        {**content, "uid": uid, "counter": counter, "retrain": retrain, "storage": storage}
    )


@by_identity
def _stage_contents(spec: TrainingJobSpec) -> tuple[str, str, str]:
    """Digests of what Serve, and of what any other stage is made from; of the limits of both."""
    policy = _said(spec.runPolicy)
    limits: dict[str, Any] = {key: policy[key] for key in _LIMITS if key in policy}
    serving = _said(spec.serving) if spec.serving else None
    return (
        _digest({"serving": serving}),
        _digest({"workers": _said(spec.workers)} | ({"code": spec.code.uri} if spec.code else {})),
        _digest(limits),
    )


def _said(part: Document) -> dict[str, Any]:
    """What a part says beyond the defaults: a field that a later version adds is no new run."""
    return part.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _counter(run: Run | None) -> int:
    head = run.id.partition("-")[0] if run else "0"
    return int(head) if head.isdigit() else 0
