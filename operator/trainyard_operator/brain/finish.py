"""The end of a job, and what is left behind after it."""

from __future__ import annotations

from trainyard_api.status import Progress
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft


def fail(draft: Draft, reason: str, message: str) -> None:
    """The run has failed. What it has yielded stays, and what is served goes on serving."""
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
    """Delete what a finished run no longer needs, by cleanPodPolicy and ttlSecondsAfterFinished."""
    policy = draft.job.spec.runPolicy
    for pod in draft.observed.pods:
        if pod.stage == "serve" or pod.deleting or policy.cleanPodPolicy == "None":
            continue
        if policy.cleanPodPolicy == "All" or not pod.finished:
            draft.delete("Pod", pod.name)
    _remove_gang_network(draft)
    if policy.ttlSecondsAfterFinished is None or draft.status.completionTime is None:
        return
    expiry = times.to_seconds(draft.status.completionTime) + policy.ttlSecondsAfterFinished
    if draft.now >= expiry:
        draft.delete("TrainingJob", draft.job.metadata.name)
    else:
        draft.look_again(expiry)


def _remove_gang_network(draft: Draft) -> None:
    for service in draft.observed.services:
        if service.stage == "train":
            draft.delete("Service", service.name)
    for policy in draft.observed.policies:
        draft.delete("NetworkPolicy", policy)
