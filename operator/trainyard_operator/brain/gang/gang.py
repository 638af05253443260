"""What Train and Compress have in common: pods that start, fail and restart as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainyard_api.names import run_hash
from trainyard_api.results import (
    TerminationMessage,
    parse_termination_message,
    why_no_document,
)
from trainyard_api.status import Stage
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
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
from trainyard_operator.brain.observed import PodStage, PodView
from trainyard_operator.brain.plan import Manifest

TERMINATION_SECONDS = 120.0
"""How long an attempt waits for the pods of the one before to end: two chiefs must not write
one store. A pod of a lost node never ends, so this has a limit."""


@dataclass(frozen=True)
class Gang:
    """The pods of a stage's current attempt."""

    name: Literal["Train", "Compress"]
    stage: PodStage
    pods: Sequence[Manifest]
    """All pods it should have, by index."""

    @property
    def size(self) -> int:
        """How many pods it should have."""
        return len(self.pods)


def run_gang(draft: Draft, gang: Gang) -> TerminationMessage | None:
    """Bring a gang forward; its result when it has ended well, else None."""
    stage = draft.status.stage(gang.name)
    if stage is None or not _may_start(draft, gang, stage):
        return None
    if stage.state == "Pending":
        stage = _start(draft, gang)
    pods = _pods(draft, gang, draft.attempt)
    verdict = judge(pods, gang.size, formed=stage.state == "Running", now=draft.now)
    return _follow(draft, gang, stage, verdict, pods)


def _pods(draft: Draft, gang: Gang, attempt: int) -> list[PodView]:
    run = run_hash(draft.run)
    return [
        pod
        for pod in draft.observed.pods
        if pod.stage == gang.stage and pod.run == run and pod.attempt == attempt
    ]


def _may_start(draft: Draft, gang: Gang, stage: Stage) -> bool:
    """Whether the current attempt may have pods: not before its time, nor beside an older one."""
    older = [
        pod
        for pod in draft.observed.pods
        if pod.stage in ("train", "compress")
        and (pod.run != run_hash(draft.run) or pod.attempt < draft.attempt)
    ]
    _remove(draft, older)
    retry = times.to_seconds(stage.retryTime) if stage.retryTime else 0.0
    if draft.now < retry:
        draft.look_again(retry)
        return False
    alive = [pod for pod in older if not pod.finished]
    deadline = retry + TERMINATION_SECONDS
    if stage.state == "Pending" and alive and draft.now < deadline:
        draft.look_again(deadline)
        names = named([pod.name for pod in alive])
        draft.update_stage(gang.name, message=f"waiting for {names} to end")
        return False
    return True


def _remove(draft: Draft, pods: Sequence[PodView]) -> None:
    """Delete pods of older attempts; with cleanPodPolicy None those that have ended stay."""
    keep_finished = draft.job.spec.runPolicy.cleanPodPolicy == "None"
    for pod in pods:
        if not pod.deleting and not (pod.finished and keep_finished):
            draft.delete("Pod", pod.name)


def _start(draft: Draft, gang: Gang) -> Stage:
    stage = draft.status.stage(gang.name)
    first = stage.startTime if stage else None
    draft.update(progress=None)
    return draft.update_stage(
        gang.name,
        state="Starting",
        startTime=first or draft.timestamp,
        attempts=draft.attempt,
        attemptTime=draft.timestamp,
        retryTime=None,
        message="",
    )


def _follow(
    draft: Draft, gang: Gang, stage: Stage, verdict: Verdict, pods: Sequence[PodView]
) -> TerminationMessage | None:
    match verdict:
        case Finished(message):
            return _result(draft, gang, message)
        case Failed():
            _fail(draft, gang, verdict)
        case Unclear(until):
            draft.look_again(until)
        case Running():
            _running(draft, gang, stage)
        case Waiting():
            refusal = draft.observed.refusal
            if refusal is not None and verdict.reason == "Starting":
                verdict = Waiting("Forbidden", f"{refusal.object}: {refusal.message}")
            _wait(draft, gang, stage, verdict, pods)
    return None


def _result(draft: Draft, gang: Gang, message: str) -> TerminationMessage | None:
    document = parse_termination_message(message)
    if document is not None and getattr(document, gang.stage) is not None:
        return document
    text = (
        f"the program of stage {gang.name} ended well, but its termination message is not the "
        f'document {{"{gang.stage}": ...}} that is asked for'
    )
    why = why_no_document(message)
    _fail(draft, gang, Failed(Cause.PROGRAM, "NoResult", f"{text}: {why or message[-200:]}"))
    return None


def _running(draft: Draft, gang: Gang, stage: Stage) -> None:
    if stage.state != "Running":
        draft.update_stage(gang.name, state="Running", message="")
        draft.set_condition("Running", "True", "PodsRunning", f"all {gang.size} pods run")
        draft.event("Normal", f"{gang.name}Running", f"attempt {draft.attempt}: all pods run")
    if draft.observed.progress is not None:
        draft.update(progress=draft.observed.progress)
    draft.look_again(draft.now + draft.settings.progress_seconds)


def _wait(
    draft: Draft, gang: Gang, stage: Stage, waiting: Waiting, pods: Sequence[PodView]
) -> None:
    began = times.to_seconds(stage.attemptTime or draft.timestamp)
    deadline = began + draft.job.spec.runPolicy.startTimeoutSeconds
    if draft.now >= deadline:
        cause = Cause.PROGRAM if is_misconfigured(waiting.reason) else Cause.INFRASTRUCTURE
        text = f"not all pods ran within runPolicy.startTimeoutSeconds: {waiting.message}"
        _fail(draft, gang, Failed(cause, "StartTimeout", text))
        return
    draft.look_again(deadline)
    there = {pod.index for pod in pods}
    for index, pod in enumerate(gang.pods):
        if index not in there:
            draft.create(pod)
    if waiting.reason != "Starting":
        before = draft.status.condition("Running")
        draft.set_condition("Running", "False", waiting.reason, waiting.message)
        draft.update_stage(gang.name, message=waiting.message)
        if before is None or before.reason != waiting.reason:
            draft.event("Warning", waiting.reason, waiting.message)


def _fail(draft: Draft, gang: Gang, failure: Failed) -> None:
    policy = draft.job.spec.runPolicy
    outcome = follow_up(failure, draft.status.restarts, policy, draft.settings)
    if isinstance(outcome, GiveUp):
        draft.update_stage(
            gang.name, state="Failed", completionTime=draft.timestamp, message=outcome.message
        )
        fail(draft, outcome.reason, outcome.message)
        return
    retry = draft.now + outcome.delay
    draft.set_attempt(draft.attempt + 1)
    draft.update(restarts=outcome.restarts)
    draft.update_stage(
        gang.name, state="Pending", retryTime=times.to_text(retry), message=failure.message
    )
    draft.set_condition("Running", "False", failure.reason, failure.message)
    draft.event("Warning", failure.reason, f"{failure.message}; attempt {draft.attempt} follows")
    _remove(draft, _pods(draft, gang, draft.attempt - 1))
    draft.look_again(retry)
