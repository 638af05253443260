"""The brain: from what was observed to what is to be done.

Pure. It knows neither clock nor network, and nothing of how its plans are carried out.
"""

from __future__ import annotations

from collections.abc import Callable

from trainyard_api.exit_codes import ExitCode
from trainyard_api.names import MANAGER, run_hash
from trainyard_api.problems import find_problems
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Artifacts, Restarts, Stage, StageName
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import clean_up, fail, succeed
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Plan
from trainyard_operator.brain.rollout import upkeep as serve
from trainyard_operator.brain.runs import is_current, next_run
from trainyard_operator.brain.stages import compress, train
from trainyard_operator.settings import Settings

_STAGES: dict[StageName, Callable[[Draft], None]] = {
    "Train": train.decide,
    "Compress": compress.decide,
    "Serve": serve.decide,
}


def decide(observed: Observed, settings: Settings, now: float) -> Plan:
    """What is to be done for a job.

    Args:
        observed: the job and its objects.
        settings: the operator's settings.
        now: seconds since the epoch.
    """
    job = observed.job
    draft = Draft(observed, settings, now, job.status)
    if job.spec.runPolicy.managedBy != MANAGER or job.metadata.deletionTimestamp is not None:
        return draft.plan()
    if not is_current(job):
        _begin_run(draft)
    elif draft.status.phase != "Failed":
        _fit_stages(draft)
    draft.update(observedGeneration=job.metadata.generation)
    if draft.status.phase == "Succeeded":
        _check(draft)
    serve.keep(draft)
    if draft.status.phase not in ("Succeeded", "Failed"):
        _go_on(draft)
    if draft.status.phase in ("Succeeded", "Failed"):
        serve.clean_up(draft)
        clean_up(draft)
    return draft.plan()


def stages_of(job: TrainingJob) -> list[StageName]:
    """The stages that a job has, in their order."""
    names: list[StageName] = ["Train"]
    if job.spec.compression is not None or job.spec.serving is not None:
        names.append("Compress")
    if job.spec.serving is not None:
        names.append("Serve")
    return names


def _begin_run(draft: Draft) -> None:
    """Start anew; what an earlier run has brought to serving stays."""
    job = draft.job
    run = next_run(job)
    draft.update(
        run=run,
        phase="Pending",
        startTime=draft.timestamp,
        completionTime=None,
        stages=[Stage(name=name) for name in stages_of(job)],
        progress=None,
        evaluation=None,
        compression=None,
        artifacts=Artifacts(),
        restarts=Restarts(),
    )
    draft.drop_conditions(
        ["Running", "Trained", "Evaluated", "Compressed", "Explained", "Succeeded", "Failed"]
    )
    draft.event("Normal", "RunStarted", f"run {run.id}")


def _fit_stages(draft: Draft) -> None:
    """A serving or compression block that came or went in the middle changes what is to be done."""
    status = draft.status
    wanted = stages_of(draft.job)
    done = [s.name for s in status.stages if s.state == "Succeeded" and s.name != "Serve"]
    names = [name for name in _STAGES if name in wanted or name in done]
    stages = [status.stage(name) or Stage(name=name) for name in names]
    if stages == status.stages:
        return
    draft.update(stages=stages)
    if status.phase == "Succeeded" and any(stage.state != "Succeeded" for stage in stages):
        draft.update(phase="Pending", startTime=draft.timestamp, completionTime=None)
        draft.drop_conditions(["Succeeded"])
        draft.set_attempt(1)


def _go_on(draft: Draft) -> None:
    if not _accept(draft) or _suspended(draft) or _overdue(draft):
        return
    for name, decide_stage in _STAGES.items():
        stage = draft.status.stage(name)
        if stage is None or stage.state == "Succeeded":
            continue
        decide_stage(draft)
        after = draft.status.stage(name)
        if draft.status.phase == "Failed" or after is None or after.state != "Succeeded":
            return
    _complete(draft)


def _complete(draft: Draft) -> None:
    parts = ["trained and evaluated"]
    if draft.status.compression is not None:
        parts.append(f"compressed ({draft.status.compression.winner})")
    if draft.status.stage("Serve") is not None:
        parts.append("serving")
    succeed(draft, ", ".join(parts))


def _accept(draft: Draft) -> bool:
    """Whether the job can be run at all."""
    if (message := _check(draft)) is not None:
        fail(draft, "InvalidSpec", message)
        return False
    serve.claim_name(draft)
    return True


def _check(draft: Draft) -> str | None:
    """What is wrong with the spec, said in its condition; None where nothing is."""
    refusal = draft.observed.refusal
    message = "; ".join(str(problem) for problem in find_problems(draft.job))
    message = message or serve.claimed_name(draft)
    if not message and refusal is not None and refusal.invalid:
        message = f"the API server refuses {refusal.object}: {refusal.message}"
    if message:
        draft.set_condition("Accepted", "False", "InvalidSpec", message)
        return message
    draft.set_condition("Accepted", "True", "Valid", "the spec can be run")
    return None


def _suspended(draft: Draft) -> bool:
    """Free all pods while the job is suspended; what they have saved stays."""
    was = draft.status.phase == "Suspended"
    if not draft.job.spec.runPolicy.suspend:
        before = draft.status.condition("Suspended")
        if before is not None and before.status == "True":
            draft.set_condition("Suspended", "False", "Resumed", "runPolicy.suspend is false")
        if was:
            draft.update(startTime=draft.timestamp)
            draft.event("Normal", "Resumed", "goes on from the last checkpoint")
        return False
    _gather(draft)
    if draft.status.phase == "Failed":
        return True
    live = [p for p in draft.observed.pods if p.stage != "serve" and not p.deleting]
    for pod in live:
        draft.delete("Pod", pod.name)
    if not was:
        _put_back(draft)
        draft.update(phase="Suspended", progress=None)
        draft.set_condition("Suspended", "True", "Suspended", "runPolicy.suspend is true")
        draft.set_condition("Running", "False", "Suspended", "runPolicy.suspend is true")
        draft.event("Normal", "Suspended", "pods are freed; checkpoint and results are kept")
    return True


def _gather(draft: Draft) -> None:
    """Take up the result of a stage that has ended, before its pods are freed."""
    for stage in draft.status.stages:
        under_way = stage.state in ("Starting", "Running") and stage.name != "Serve"
        if under_way and _has_ended(draft, stage.name):
            _STAGES[stage.name](draft)
            return


def _has_ended(draft: Draft, name: StageName) -> bool:
    current = (name.lower(), run_hash(draft.run), draft.attempt, 0)
    return any(
        (pod.stage, pod.run, pod.attempt, pod.index) == current and pod.exit_code == ExitCode.OK
        for pod in draft.observed.pods
    )


def _put_back(draft: Draft) -> None:
    """A stage that was under way begins a new attempt when the job is resumed."""
    for stage in draft.status.stages:
        if stage.state in ("Starting", "Running") and stage.name != "Serve":
            draft.set_attempt(draft.attempt + 1)
            draft.update_stage(
                stage.name, state="Pending", retryTime=draft.timestamp, message="suspended"
            )


def _overdue(draft: Draft) -> bool:
    seconds = draft.job.spec.runPolicy.activeDeadlineSeconds
    if seconds is None or draft.status.startTime is None:
        return False
    deadline = times.to_seconds(draft.status.startTime) + seconds
    if draft.now < deadline:
        draft.look_again(deadline)
        return False
    fail(draft, "DeadlineExceeded", f"runPolicy.activeDeadlineSeconds ({seconds} s) are over")
    return True
