"""The brain: from what was observed to what is to be done.

Pure. It knows neither clock nor network, and nothing of how its plans are carried out.
"""

from __future__ import annotations

from trainyard_api.names import ANNOTATION_RETRAIN, MANAGER
from trainyard_api.own_program import asked_of_training
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Artifacts, Restarts, Stage, StageName
from trainyard_operator.brain.acceptance import Acceptance, accept, is_ahead
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import clean_up, fail, succeed
from trainyard_operator.brain.gang import gang
from trainyard_operator.brain.gang.attempts import retire
from trainyard_operator.brain.gang.gang import wait_for
from trainyard_operator.brain.interruptions import held, overdue, suspended
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Plan
from trainyard_operator.brain.reopening import reopen
from trainyard_operator.brain.rollout import route, serve, upkeep
from trainyard_operator.brain.rollout.rollback import withdraw_candidate
from trainyard_operator.brain.runs import is_current, next_run
from trainyard_operator.brain.stages.compress import Compress
from trainyard_operator.brain.stages.stage import PodStage
from trainyard_operator.brain.stages.train import Train
from trainyard_operator.settings import Settings

_POD_STAGES: dict[StageName, PodStage] = {stage.name: stage for stage in (Train(), Compress())}
_ORDER: tuple[StageName, ...] = ("Search", "Train", "Compress", "Explain", "Serve")


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
    if is_ahead(draft):
        return draft.plan()
    acceptance = accept(draft)
    _fit_run(draft, acceptance.problem)
    draft.update(observedGeneration=job.metadata.generation)
    if not draft.ended:
        _go_on(draft, acceptance.problem)
    upkeep.keep(draft, acceptable=acceptance == Acceptance())
    retire(draft)
    if draft.status.phase in ("Failed", "Suspended"):
        withdraw_candidate(draft)
    if draft.ended:
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


def _fit_run(draft: Draft, problem: str) -> None:
    """Begin the run that the spec asks for, or fit the one that there is to what has changed."""
    if draft.status.run is None:
        _begin_run(draft)
    elif problem:
        return
    elif not is_current(draft.job):
        _begin_run(draft)
    else:
        _fit_stages(draft)
        reopen(draft)


def _begin_run(draft: Draft) -> None:
    """Start anew; what an earlier run has brought to serving stays."""
    job, again = draft.job, draft.status.run is not None
    run = next_run(job, _runs_there(draft) if not again else ())
    draft.update(
        run=run,
        phase="Pending",
        startTime=draft.timestamp,
        completionTime=None,
        stages=[Stage(name=name) for name in stages_of(job)],
        progress=None,
        data=None,
        evaluation=None,
        compression=None,
        artifacts=Artifacts(),
        restarts=Restarts(),
    )
    draft.drop_conditions(
        ["Running", "Trained", "Evaluated", "Compressed", "Explained", "Succeeded", "Failed"]
    )
    if again:
        draft.event("Normal", "RunStarted", f"run {run.id}")


def _runs_there(draft: Draft) -> set[str]:
    """Hashes of the runs that the job has pods and revisions of."""
    pods, deployments = draft.observed.pods, draft.observed.deployments
    return {pod.run for pod in pods} | {deployment.run for deployment in deployments}


def _fit_stages(draft: Draft) -> None:
    """A serving block that came or went in the middle changes what is to be done."""
    status = draft.status
    wanted = stages_of(draft.job)
    done = [s.name for s in status.stages if s.state == "Succeeded" and s.name != "Serve"]
    names = [name for name in _ORDER if name in wanted or name in done]
    stages = [status.stage(name) or Stage(name=name) for name in names]
    if stages == status.stages:
        return
    draft.update(stages=stages)
    if status.phase == "Succeeded" and any(stage.state != "Succeeded" for stage in stages):
        draft.update(phase="Pending", startTime=draft.timestamp, completionTime=None)
        draft.drop_conditions(["Succeeded"])


def _go_on(draft: Draft, problem: str) -> None:
    """Bring the run forward: results first, then what keeps it from going on, then its stages."""
    _gather(draft)
    if draft.ended:
        return
    if all(stage.state == "Succeeded" for stage in draft.status.stages):
        _complete(draft)
        return
    if held(draft, problem):
        return
    if not problem:
        route.claim(draft)
    if suspended(draft) or overdue(draft) or _name_is_open(draft):
        return
    _advance(draft)


def _name_is_open(draft: Draft) -> bool:
    """Whether the endpoint's name is yet to be claimed: nothing begins that another job stops."""
    serving = draft.job.spec.serving
    begun = any(stage.startTime is not None for stage in draft.status.stages)
    if serving is None or begun or route.there(draft, serving) is not None:
        return False
    refusal = route.refused(draft, serving)
    if refusal is not None:
        wait_for(draft, "Forbidden", f"the API server refuses {refusal}")
    return True


def _gather(draft: Draft) -> None:
    """Take up what lies there of the stage that is under way."""
    stage = _next_stage(draft)
    if stage is None:
        return
    if stage.name == "Serve":
        serve.gather(draft)
    else:
        gang.gather(draft, _POD_STAGES[stage.name])


def _advance(draft: Draft) -> None:
    stage = _next_stage(draft)
    if stage is None:
        return
    if stage.name != "Train" and draft.status.artifacts.model is None:
        # Asked for when the program had ended already, as it might, without a result.
        asked = asked_of_training(draft.job.spec)
        cure = f"let it report one, and annotate {ANNOTATION_RETRAIN} to run it again"
        fail(draft, "InvalidResult", f"the program reported no result, and {asked}; {cure}")
    elif stage.name == "Serve":
        serve.advance(draft)
    else:
        gang.advance(draft, _POD_STAGES[stage.name])


def _next_stage(draft: Draft) -> Stage | None:
    return next((s for s in draft.status.stages if s.state != "Succeeded"), None)


def _complete(draft: Draft) -> None:
    silent = draft.status.evaluation is None
    parts = ["the program ended well" if silent else "trained and evaluated"]
    if draft.status.compression is not None:
        parts.append(f"compressed ({draft.status.compression.winner})")
    if draft.status.stage("Serve") is not None:
        parts.append("serving")
    succeed(draft, ", ".join(parts))
