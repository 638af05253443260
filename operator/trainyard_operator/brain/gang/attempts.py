"""The attempts of a stage, which count for each stage apart."""

from __future__ import annotations

from trainyard_api.status import Stage
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.observed import PodView


def current_attempt(stage: Stage) -> int:
    """The attempt that is under way, or that begins next."""
    begun = stage.state in ("Starting", "Running", "Succeeded", "Failed")
    return max(stage.attempts, 1) if begun else stage.attempts + 1


def pods_of(draft: Draft, stage: Stage, attempt: int) -> list[PodView]:
    """The pods of one attempt of a stage of the current run."""
    label, run = stage.name.lower(), draft.run_hash
    return [
        pod
        for pod in draft.observed.pods
        if pod.stage == label and pod.run == run and pod.attempt == attempt
    ]


def newest_attempt(draft: Draft, stage: Stage) -> int:
    """The newest attempt of the stage that has pods; 0 where none has.

    Workers that stand by for an attempt that has not begun have no chief.
    """
    label, run = stage.name.lower(), draft.run_hash
    pods = [pod for pod in draft.observed.pods if pod.stage == label and pod.run == run]
    chiefs = [pod for pod in pods if pod.index == 0]
    return max((pod.attempt for pod in chiefs or pods), default=0)


def is_live(draft: Draft, pod: PodView) -> bool:
    """Whether a pod belongs to an attempt that is under way, or stands by for the next one."""
    stage = next((s for s in draft.status.stages if s.name.lower() == pod.stage), None)
    if stage is None or pod.run != draft.run_hash:
        return False
    if stage.state in ("Starting", "Running") and pod.attempt == current_attempt(stage):
        return True
    grows = stage.growTime is not None and stage.state in ("Pending", "Running")
    return grows and not pod.finished and pod.attempt == stage.attempts + 1


def retire(draft: Draft) -> None:
    """Free what works for nobody any more: pods of an earlier run, of an attempt that is over, of
    a stage that is done, such as a worker that hangs after the chief has ended well.

    Pods that have ended stay with their logs as long as they are of their stage's last attempt.
    """
    last = {s.name.lower(): s.attempts for s in draft.status.stages}
    keep_all = draft.job.spec.runPolicy.cleanPodPolicy == "None"
    for pod in draft.observed.pods:
        if pod.stage == "serve" or pod.deleting or is_live(draft, pod):
            continue
        is_last = pod.run == draft.run_hash and pod.attempt >= last.get(pod.stage, 0)
        if not pod.finished or not (is_last or keep_all):
            draft.delete("Pod", pod.name)
