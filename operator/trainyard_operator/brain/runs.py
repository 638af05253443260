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
from typing import Any

from trainyard_api.model import Document
from trainyard_api.names import ANNOTATION_RETRAIN, run_hash
from trainyard_api.spec import TrainingJob
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
    deciding = {name: getattr(job.spec, name) for name in _DECIDING}
    content: dict[str, Any] = {
        name: _said(part) if part is not None else None for name, part in deciding.items()
    }
    content["uid"] = job.metadata.uid
    content["counter"] = counter
    content["retrain"] = job.metadata.annotations.get(ANNOTATION_RETRAIN)
    content["storage"] = job.spec.storage.uri if job.spec.storage else None
    return _digest(content)


def stage_hash(job: TrainingJob, name: StageName) -> str:
    """Six hexadecimal digits of what a stage follows from beside its run."""
    policy = _said(job.spec.runPolicy)
    content: dict[str, Any] = {key: policy[key] for key in _LIMITS if key in policy}
    if name == "Serve":
        content["serving"] = _said(job.spec.serving) if job.spec.serving else None
    else:
        content["workers"] = _said(job.spec.workers)
    return _digest(content)


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


def _said(part: Document) -> dict[str, Any]:
    """What a part says beyond the defaults: a field that a later version adds is no new run."""
    return part.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _counter(run: Run | None) -> int:
    head = run.id.partition("-")[0] if run else "0"
    return int(head) if head.isdigit() else 0
