"""Elastic gangs: they go on with fewer workers where lost ones have no place, and grow back.

A gang shrinks between two attempts: the next one has as many workers as were placed, and goes on
from the checkpoint at the exact step. To grow, the missing workers of a full next attempt are
created beside it. They stand by without touching anything, since only a chief reads and writes a
store. Once all of them run, the small gang is told to stop, which saves, and the full one begins.
"""

from __future__ import annotations

from trainyard_api.status import Stage
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.gang.attempts import current_attempt, pods_of
from trainyard_operator.brain.observed import PodView
from trainyard_operator.brain.stages.stage import PodStage


def size(draft: Draft, work: PodStage, stage: Stage) -> int:
    """How many pods the attempt has that is under way, or that begins next."""
    return stage.workers or work.size(draft.job)


def running(draft: Draft, work: PodStage, stage: Stage) -> tuple[str, str]:
    """Reason and message of the condition Running, once all pods of an attempt run."""
    now, full = size(draft, work, stage), work.size(draft.job)
    if now < full:
        return "FewerWorkers", f"{now} of {full} pods run; the others have no place for now"
    return "PodsRunning", f"all {now} pods run"


def shrink(draft: Draft, work: PodStage, stage: Stage) -> bool:
    """Begin anew with the pods that have a place, where lost ones have had none for too long.

    Returns:
        Whether the attempt is given up.
    """
    workers = draft.job.spec.workers
    if work.name != "Train" or workers.minReplicas is None or not stage.restarts.infrastructure:
        return False
    pods = pods_of(draft, stage, current_attempt(stage))
    placed, now = sum(_has_place(pod) for pod in pods), size(draft, work, stage)
    if not max(workers.minReplicas, 1) <= placed < now:
        return False
    began = times.to_seconds(stage.attemptTime or draft.timestamp)
    if draft.now < began + workers.elasticDelaySeconds:
        draft.look_again(began + workers.elasticDelaySeconds)
        return False
    text = (
        f"goes on with {placed} of {work.size(draft.job)} workers: the others have had no place "
        f"for {workers.elasticDelaySeconds} s"
    )
    draft.update_stage(
        stage.name, state="Pending", workers=placed, retryTime=draft.timestamp, message=text
    )
    draft.set_condition("Running", "False", "Shrinking", text)
    draft.event("Warning", "Shrinking", text)
    draft.look_again(draft.now)
    return True


def grow(draft: Draft, work: PodStage, stage: Stage) -> None:
    """Look for a place for the missing workers of a gang that runs, and take them in."""
    now, full = size(draft, work, stage), work.size(draft.job)
    if now >= full:
        return
    if stage.growTime is None:
        _look_for_places(draft, stage, draft.now + draft.job.spec.workers.elasticDelaySeconds)
        return
    begins = times.to_seconds(stage.growTime)
    if draft.now < begins:
        draft.look_again(begins)
        return
    attempt = stage.attempts + 1
    standing_by = pods_of(draft, stage, attempt)
    if _all_stand_by(standing_by, full - now):
        _take_in(draft, stage, full)
        return
    patience = begins + draft.job.spec.runPolicy.startTimeoutSeconds
    if draft.now >= patience or any(pod.finished for pod in standing_by):
        # What has got a place holds it for nothing.
        _give_up(draft, stage, standing_by)
        return
    draft.look_again(patience)
    there = {pod.index for pod in standing_by}
    missing = [index for index in range(now, full) if index not in there]
    if missing and draft.observed.refusal("Pod") is None:
        draft.create(*work.build(draft, attempt, missing, full))


def _look_for_places(draft: Draft, stage: Stage, at: float) -> None:
    draft.update_stage(stage.name, growTime=times.to_text(at))
    draft.look_again(at)


def _give_up(draft: Draft, stage: Stage, standing_by: list[PodView]) -> None:
    for pod in standing_by:
        draft.delete("Pod", pod.name)
    _look_for_places(draft, stage, draft.now + draft.job.spec.runPolicy.startTimeoutSeconds)


def _take_in(draft: Draft, stage: Stage, full: int) -> None:
    """The pods of the small gang are freed, and save by that; its next attempt is a full one."""
    text = f"grows back to {full} workers: there is a place for all of them"
    draft.update_stage(
        stage.name, state="Pending", workers=None, retryTime=draft.timestamp, message=text
    )
    draft.set_condition("Running", "False", "Growing", text)
    draft.event("Normal", "Growing", text)
    draft.look_again(draft.now)


def _all_stand_by(pods: list[PodView], count: int) -> bool:
    ready = [pod for pod in pods if pod.phase == "Running" and not pod.deleting]
    return len(ready) == count


def _has_place(pod: PodView) -> bool:
    """Whether a pod is on a node, or about to be."""
    if pod.deleting or pod.waiting_reason == "Unschedulable":
        return False
    return pod.phase != "Pending" or pod.setting_up or bool(pod.waiting_reason)
