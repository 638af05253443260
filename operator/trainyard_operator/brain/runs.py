"""Which run a spec asks for.

A run is what its model follows from: where any of that changes, a new run begins. The uid is
part of it, so that a job that was deleted and created again never meets the checkpoints of
its namesake.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from trainyard_api.model import Document
from trainyard_api.names import ANNOTATION_RETRAIN, run_hash
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Run

_DECIDING = ("data", "model", "training", "evaluation", "search", "compression", "explanation")


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
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _said(part: Document) -> dict[str, Any]:
    """What a part says beyond the defaults: a field that a later version adds is no new run."""
    return part.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def next_run(job: TrainingJob) -> Run:
    """The run that follows the one in status."""
    counter = _counter(job.status.run) + 1
    return Run(id=f"{counter}-{wanted_hash(job, counter)}", attempt=1)


def is_current(job: TrainingJob) -> bool:
    """Whether status speaks of the run that the spec asks for.

    A failed job that was changed in any way is tried again.
    """
    run, status = job.status.run, job.status
    if run is None:
        return False
    if status.phase == "Failed" and status.observedGeneration != job.metadata.generation:
        return False
    return run_hash(run.id) == wanted_hash(job, _counter(run))


def _counter(run: Run | None) -> int:
    return int(run.id.partition("-")[0]) if run else 0
