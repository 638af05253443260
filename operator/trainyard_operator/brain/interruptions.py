"""What keeps a run from going on: a spec that cannot be run, suspension, a deadline."""

from __future__ import annotations

from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.gang.gang import put_back
from trainyard_operator.brain.runs import is_current, stage_hash


def held(draft: Draft, problem: str) -> bool:
    """Whether a spec that cannot be run keeps the run from going on.

    A run of which nothing has begun has failed at once: nobody would look for the reason of a job
    that waits. One that has begun, and that the spec still asks for, goes on to its rollout; what
    another spec has begun goes on by itself, and nothing is begun of either.
    """
    if not problem:
        return False
    if all(stage.startTime is None for stage in draft.status.stages):
        fail(draft, "InvalidSpec", problem)
        return True
    under_way = next(s for s in draft.status.stages if s.state != "Succeeded")
    if under_way.name != "Serve" and is_current(draft.job):
        return False
    if under_way.state == "Pending":
        message = f"waits for a spec that can be run: {problem}"
        draft.update_stage(under_way.name, message=message)
    return True


def suspended(draft: Draft) -> bool:
    """Free all pods while the job is suspended; what they have saved stays, and what serves."""
    was = draft.status.phase == "Suspended"
    if not draft.job.spec.runPolicy.suspend:
        before = draft.status.condition("Suspended")
        if before is not None and before.status == "True":
            draft.set_condition("Suspended", "False", "Resumed", "runPolicy.suspend is false")
        if was:
            draft.update(phase="Pending", startTime=draft.timestamp)
            draft.event("Normal", "Resumed", "goes on from the last checkpoint")
        return False
    if not was:
        for stage in draft.status.stages:
            put_back(draft, stage, "suspended")
        draft.update(phase="Suspended", progress=None)
        draft.set_condition("Suspended", "True", "Suspended", "runPolicy.suspend is true")
        draft.set_condition("Running", "False", "Suspended", "runPolicy.suspend is true")
        draft.event("Normal", "Suspended", "pods are freed; checkpoint and results are kept")
    return True


def overdue(draft: Draft) -> bool:
    """Whether the run's time is over, which fails it."""
    seconds = draft.job.spec.runPolicy.activeDeadlineSeconds
    if seconds is None or draft.status.startTime is None:
        return False
    deadline = times.to_seconds(draft.status.startTime) + seconds
    if draft.now < deadline:
        draft.look_again(deadline)
        return False
    stage = next((s for s in draft.status.stages if s.state != "Succeeded"), None)
    if stage is not None and stage.specHash is None:
        draft.update_stage(stage.name, specHash=stage_hash(draft.job, stage.name))
    fail(draft, "DeadlineExceeded", f"runPolicy.activeDeadlineSeconds ({seconds} s) are over")
    return True
