"""Brings the pods of a stage forward: they start, fail and restart as one."""

from __future__ import annotations

from trainyard_api.names import gang_service_name
from trainyard_api.status import Restarts, Stage
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.gang import elastic
from trainyard_operator.brain.gang.attempts import current_attempt, newest_attempt, pods_of
from trainyard_operator.brain.gang.reported import reported
from trainyard_operator.brain.gang.restarts import GiveUp, follow_up
from trainyard_operator.brain.gang.verdict import (
    Cause,
    Failed,
    Finished,
    Running,
    Unclear,
    Verdict,
    Waiting,
    is_misconfigured,
    judge,
    named,
)
from trainyard_operator.brain.observed import PodView
from trainyard_operator.brain.progress import writing_time
from trainyard_operator.brain.runs import stage_hash
from trainyard_operator.brain.stages.stage import PodStage

TERMINATION_SECONDS = 120.0
"""How long an attempt waits, beyond the grace of its pods, for those of the one before to end: two
chiefs must not write one store. A pod of a lost node never ends, so this has a limit."""
CONFIGURATION_GRACE_SECONDS = 120.0
"""How long pods may wait for what only a person can mend, such as a Secret that is yet to come."""


def gather(draft: Draft, work: PodStage) -> bool:
    """Take up the result of a stage that has ended, before anything else may throw it away.

    Returns:
        Whether the stage has succeeded by that.
    """
    stage = draft.stage(work.name)
    if stage.state not in ("Starting", "Running"):
        return False
    stage = _catch_up(draft, stage)
    verdict = _judge(draft, work, stage)
    if not isinstance(verdict, Finished):
        return False
    result = reported(work, draft.job, verdict.message)
    if isinstance(result, Failed):
        _fail(draft, stage, result)
        return False
    work.finish(draft, result)
    return True


def advance(draft: Draft, work: PodStage) -> None:
    """Bring a stage forward whose result does not lie there yet."""
    stage = draft.stage(work.name)
    draft.update(phase=work.phase)
    if not _may_start(draft, work, stage):
        return
    if stage.state == "Pending":
        stage = _start(draft, work, stage)
    work.prepare(draft)
    _follow(draft, work, stage, _judge(draft, work, stage))


def put_back(draft: Draft, stage: Stage, message: str) -> None:
    """Let a stage that was under way begin a new attempt when its time comes."""
    if stage.state in ("Starting", "Running"):
        draft.update_stage(
            stage.name,
            state="Pending",
            workers=None,
            growTime=None,
            retryTime=draft.timestamp,
            message=message,
        )


def _catch_up(draft: Draft, stage: Stage) -> Stage:
    """Take up the attempt that is under way, where somebody has brought an older status back:
    pods of an earlier one beside it would write the same store."""
    newest = newest_attempt(draft, stage)
    if newest <= current_attempt(stage) or stage.growTime is not None:
        return stage
    return draft.update_stage(
        stage.name, state="Starting", attempts=newest, attemptTime=draft.timestamp, workers=None
    )


def _judge(draft: Draft, work: PodStage, stage: Stage) -> Verdict:
    pods = pods_of(draft, stage, current_attempt(stage))
    return judge(
        pods, elastic.size(draft, work, stage), formed=stage.state == "Running", now=draft.now
    )


def _may_start(draft: Draft, work: PodStage, stage: Stage) -> bool:
    """Whether the next attempt may have pods: not before its time, nor beside an older one."""
    if stage.state != "Pending":
        return True
    retry = times.to_seconds(stage.retryTime) if stage.retryTime else 0.0
    if draft.now < retry:
        draft.look_again(retry)
        return False
    alive = _alive_before(draft, stage)
    # A run that has just begun, or that goes on after it had failed, has no time to wait for: its
    # own beginning is when the pods before it were told to end.
    since = times.to_seconds(stage.retryTime or draft.status.startTime or draft.timestamp)
    if any(pod.run == draft.run_hash and not pod.deleting for pod in alive):
        # Nobody has told them yet: their time to end begins now.
        since = draft.now
        draft.update_stage(work.name, retryTime=draft.timestamp)
    deadline = since + draft.job.spec.workers.terminationGracePeriodSeconds + TERMINATION_SECONDS
    if alive and draft.now < deadline:
        draft.look_again(deadline)
        names = named([pod.name for pod in alive])
        draft.update_stage(work.name, message=f"waiting for {names} to end")
        return False
    return True


def _alive_before(draft: Draft, stage: Stage) -> list[PodView]:
    """Pods that still work for an earlier attempt of the stage, or for an earlier run."""
    return [
        pod
        for pod in draft.observed.pods
        if pod.stage != "serve"
        and not pod.finished
        and (
            pod.run != draft.run_hash
            or (pod.stage == stage.name.lower() and _is_in_the_way(pod, current_attempt(stage)))
        )
    ]


def _is_in_the_way(pod: PodView, attempt: int) -> bool:
    """Whether a pod is of an earlier attempt, or has the name of one that is to be created."""
    return pod.attempt < attempt or (pod.attempt == attempt and pod.deleting)


def _start(draft: Draft, work: PodStage, stage: Stage) -> Stage:
    """Begin an attempt, or find the one again that was under way when a status was erased."""
    draft.update(progress=None)
    attempt = max(current_attempt(stage), newest_attempt(draft, stage))
    return draft.update_stage(
        work.name,
        state="Starting",
        startTime=stage.startTime or draft.timestamp,
        attempts=attempt,
        attemptTime=draft.timestamp,
        retryTime=None,
        growTime=None,
        blockedTime=None,
        specHash=stage_hash(draft.job, work.name),
        message="",
    )


def _follow(draft: Draft, work: PodStage, stage: Stage, verdict: Verdict) -> None:
    match verdict:
        case Finished():
            draft.look_again(draft.now)
        case Failed():
            _fail(draft, stage, verdict)
        case Unclear(until):
            draft.look_again(until)
        case Running():
            _running(draft, work, stage)
        case Waiting():
            _wait(draft, work, stage, _with_refusal(draft, verdict))


def _with_refusal(draft: Draft, waiting: Waiting) -> Waiting | Failed:
    """Pods that do not exist yet wait for what the API server has against them, or against what is
    created before them."""
    own = gang_service_name(draft.job.metadata.name, draft.run)
    wanted = (("Pod", ""), ("Service", own), ("NetworkPolicy", own))
    refused = [r for kind, name in wanted if (r := draft.observed.refusal(kind, name)) is not None]
    if not refused or waiting.reason != "Starting":
        return waiting
    if invalid := [refusal for refusal in refused if refusal.invalid]:
        text = f"the API server refuses {'; '.join(map(str, invalid))}"
        return Failed(Cause.INVALID, "InvalidSpec", text)
    return Waiting("Forbidden", "; ".join(map(str, refused)))


def _running(draft: Draft, work: PodStage, stage: Stage) -> None:
    if stage.state != "Running":
        draft.update_stage(work.name, state="Running", blockedTime=None, message="")
        reason, text = elastic.running(draft, work, stage)
        draft.set_condition("Running", "True", reason, text)
        if stage.attempts > 1:
            reason = f"{work.name}Running"
            draft.event("Normal", reason, f"attempt {stage.attempts}: {text}")
    _tell_progress(draft)
    elastic.grow(draft, work, draft.stage(work.name))


def _tell_progress(draft: Draft) -> None:
    said, written = draft.observed.progress, draft.status.progress
    if said is None:
        return
    at = writing_time(written, said, draft.now, draft.settings.progress_seconds)
    if at is None:
        return
    if draft.now >= at:
        draft.update(progress=said.model_copy(update={"updateTime": draft.timestamp}))
    else:
        draft.look_again(at)


def _wait(draft: Draft, work: PodStage, stage: Stage, waiting: Waiting | Failed) -> None:
    if isinstance(waiting, Failed):
        _fail(draft, stage, waiting)
        return
    blocked = is_misconfigured(waiting.reason)
    stage = _note_blocked(draft, stage, blocked)
    limit = float(draft.job.spec.runPolicy.startTimeoutSeconds)
    began = times.to_seconds(stage.attemptTime or draft.timestamp)
    if blocked and stage.blockedTime is not None:
        limit = min(limit, CONFIGURATION_GRACE_SECONDS)
        began = times.to_seconds(stage.blockedTime)
    if draft.now >= began + limit:
        _fail(draft, stage, _too_long(waiting, limit, blocked))
        return
    draft.look_again(began + limit)
    if elastic.shrink(draft, work, stage):
        return
    _complete(draft, work, stage)
    if waiting.reason != "Starting":
        wait_for(draft, waiting.reason, waiting.message)
        draft.update_stage(work.name, message=waiting.message)


def wait_for(draft: Draft, reason: str, message: str) -> None:
    """Say what keeps pods from running; an event tells each reason once."""
    before = draft.status.condition("Running")
    draft.set_condition("Running", "False", reason, message)
    if before is None or before.reason != reason:
        draft.event("Warning", reason, message)


def _note_blocked(draft: Draft, stage: Stage, blocked: bool) -> Stage:
    if blocked == (stage.blockedTime is not None):
        return stage
    return draft.update_stage(stage.name, blockedTime=draft.timestamp if blocked else None)


def _too_long(waiting: Waiting, limit: float, blocked: bool) -> Failed:
    if blocked:
        text = f"nothing has changed for {limit:.0f} s: {waiting.message}"
        return Failed(Cause.INVALID, waiting.reason, text)
    text = f"not all pods ran within runPolicy.startTimeoutSeconds: {waiting.message}"
    return Failed(Cause.INFRASTRUCTURE, "StartTimeout", text)


def _complete(draft: Draft, work: PodStage, stage: Stage) -> None:
    """Create the pods that are missing."""
    attempt = current_attempt(stage)
    there = {pod.index for pod in pods_of(draft, stage, attempt)}
    size = elastic.size(draft, work, stage)
    missing = [index for index in range(size) if index not in there]
    if missing:
        draft.create(*work.build(draft, attempt, missing, size))


def _fail(draft: Draft, stage: Stage, failure: Failed) -> None:
    policy = draft.job.spec.runPolicy
    outcome = follow_up(failure, stage.restarts, policy, draft.settings)
    if isinstance(outcome, GiveUp):
        fail(draft, outcome.reason, outcome.message)
        return
    retry = draft.now + outcome.delay
    draft.update(restarts=_sum(draft.status.restarts, stage.restarts, outcome.restarts))
    draft.update_stage(
        stage.name,
        state="Pending",
        restarts=outcome.restarts,
        retryTime=times.to_text(retry),
        growTime=None,
        blockedTime=None,
        message=failure.message,
    )
    draft.set_condition("Running", "False", failure.reason, failure.message)
    follows = f"{failure.message}; attempt {stage.attempts + 1} follows"
    draft.event("Warning", failure.reason, follows)
    draft.look_again(retry)


def _sum(total: Restarts, before: Restarts, after: Restarts) -> Restarts:
    """The job's counters, with what one stage's have grown by."""
    return Restarts(
        program=total.program + after.program - before.program,
        infrastructure=total.infrastructure + after.infrastructure - before.infrastructure,
    )
