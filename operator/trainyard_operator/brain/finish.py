"""The end of a run, and what is left behind after it."""

from __future__ import annotations

from trainyard_api.status import Progress
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.runs import failed_hash


def fail(draft: Draft, reason: str, message: str) -> None:
    """The run has failed, and with it the stage that it has come to.

    What the run has yielded stays, and what is served goes on serving.
    """
    under_way = next((s for s in draft.status.stages if s.state != "Succeeded"), None)
    if under_way is not None and under_way.specHash is not None:
        hash_now = failed_hash(under_way.specHash, draft.job, under_way.name)
        draft.update_stage(under_way.name, specHash=hash_now)
    if under_way is not None and (under_way.startTime or under_way.attempts):
        draft.update_stage(
            under_way.name, state="Failed", completionTime=draft.timestamp, message=message
        )
    draft.update(phase="Failed", completionTime=draft.timestamp)
    draft.set_condition("Failed", "True", reason, message)
    draft.set_condition("Running", "False", reason, message)
    draft.event("Warning", reason, message)


def succeed(draft: Draft, message: str) -> None:
    """The run has done all its stages."""
    done = Progress(percent=100, message="done", updateTime=draft.timestamp)
    draft.update(phase="Succeeded", completionTime=draft.timestamp, progress=done)
    draft.set_condition("Succeeded", "True", "AllStagesDone", message)
    draft.set_condition("Running", "False", "AllStagesDone", message)
    draft.event("Normal", "Succeeded", message)


def clean_up(draft: Draft) -> None:
    """Delete what a finished run no longer needs, by cleanPodPolicy and ttlSecondsAfterFinished.

    The gang's Service and NetworkPolicy stay as long as the job, or until a later run has its own:
    they cost nothing, and they go with the job.
    """
    policy = draft.job.spec.runPolicy
    if policy.cleanPodPolicy == "All":
        for pod in draft.observed.pods:
            if pod.stage != "serve" and not pod.deleting:
                draft.delete("Pod", pod.name)
    if policy.ttlSecondsAfterFinished is None or draft.status.completionTime is None:
        return
    expiry = times.to_seconds(draft.status.completionTime) + policy.ttlSecondsAfterFinished
    if draft.now >= expiry:
        draft.delete("TrainingJob", draft.job.metadata.name)
    else:
        draft.look_again(expiry)
