"""`runPolicy`, and what a TFJob says elsewhere of restarts and of its end."""

from __future__ import annotations

from typing import Final

from trainyard_cli.convert.outcome import Block, Note
from trainyard_cli.convert.tfjob import SchedulingPolicy, TfJobSpec

_KUBEFLOW: Final = ("", "kubeflow.org/training-operator")
_FIELD: Final = "spec.runPolicy"


def run_policy_of(spec: TfJobSpec, restart_field: str, restarts: str, notes: list[Note]) -> Block:
    """`spec.runPolicy` of the TrainingJob, as far as the TFJob speaks of it.

    Args:
        spec: of the TFJob.
        restart_field: where the restart policy that counts stands.
        restarts: that policy.
        notes: is added to.
    """
    policy = spec.runPolicy
    same = {
        "suspend": policy.suspend or None,
        "backoffLimit": policy.backoffLimit,
        "activeDeadlineSeconds": policy.activeDeadlineSeconds,
        "ttlSecondsAfterFinished": policy.ttlSecondsAfterFinished,
        "cleanPodPolicy": policy.cleanPodPolicy or None,
    }
    converted: Block = {name: value for name, value in same.items() if value is not None}
    converted |= _restarts(policy.backoffLimit, restart_field, restarts, notes)
    converted |= _scheduling(policy.schedulingPolicy, notes)
    if policy.managedBy not in _KUBEFLOW:
        text = f"left out: {policy.managedBy} does not manage TrainingJobs"
        notes.append(Note(f"{_FIELD}.managedBy", text))
    if spec.successPolicy == "AllWorkers":
        text = "left out: the run succeeds when worker 0 ends with exit code 0"
        notes.append(Note("spec.successPolicy", text))
    if spec.enableDynamicWorker:
        text = (
            "left out: TF_CONFIG names all workers; a gang that may go on with fewer has "
            "spec.workers.minReplicas"
        )
        notes.append(Note("spec.enableDynamicWorker", text))
    return converted


def _restarts(limit: int | None, field: str, restarts: str, notes: list[Note]) -> Block:
    whole = "the gang restarts as a whole"
    if restarts == "Never":
        notes.append(
            Note(
                field,
                "Never is runPolicy.backoffLimit: 0; a gang that lost a node restarts all the same "
                "(runPolicy.infrastructureRestartLimit)",
            )
        )
        return {"backoffLimit": 0}
    count = f"runPolicy.backoffLimit ({'default 3' if limit is None else limit}) is how often"
    words = {
        "OnFailure": f"{whole}, and {count}",
        "Always": f"{whole}, and {count}; a program that ended well is not started again",
        "ExitCode": f"{whole} after any exit code but 0, 2 and 46, and {count}; let the program "
        "end with 2 where trying again cannot help",
    }
    notes.append(Note(field, words[restarts]))
    return {}


def _scheduling(policy: SchedulingPolicy, notes: list[Note]) -> Block:
    field = f"{_FIELD}.schedulingPolicy"
    converted: Block = {}
    if policy.priorityClass:
        converted["priorityClassName"] = policy.priorityClass
    if policy.scheduleTimeoutSeconds:
        converted["startTimeoutSeconds"] = policy.scheduleTimeoutSeconds
    left_out = {
        "minAvailable": (
            policy.minAvailable,
            "the gang begins as a whole; one that may go on with fewer: spec.workers.minReplicas",
        ),
        "queue": (policy.queue, "queues are not built yet"),
        "minResources": (policy.minResources, "the workers' resources are what is set aside"),
    }
    for name, (value, why) in left_out.items():
        if value:
            notes.append(Note(f"{field}.{name}", f"left out: {why}"))
    return converted
