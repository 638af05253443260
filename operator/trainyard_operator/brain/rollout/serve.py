"""Serve: the new revision starts beside the old one and gets no traffic until it is ready; the
old one goes only after status says that the new one serves."""

from __future__ import annotations

from trainyard_api.names import revision_name
from trainyard_api.spec import Serving
from trainyard_api.status import Artifact, ServingStatus, Stage
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.observed import DeploymentView
from trainyard_operator.brain.rollout import revisions, route
from trainyard_operator.brain.rollout.rollback import roll_back, serves
from trainyard_operator.brain.runs import stage_hash
from trainyard_operator.build.deployments import serving_name


def gather(draft: Draft) -> bool:
    """Take up a rollout that has done its work: traffic leads to the new revision, and it is
    ready."""
    serving, model = _wanted(draft)
    stage = draft.stage("Serve")
    if stage.state != "Running" or serving is None or model is None:
        return False
    deployment = revisions.of_run(draft, serving, draft.run)
    if deployment is None or not revisions.is_ready(deployment):
        return False
    if not route.leads_to(draft, serving, draft.run):
        return False
    _finish(draft, serving, deployment, model)
    return True


def advance(draft: Draft) -> None:
    """Bring the rollout of the current run forward."""
    serving, model = _wanted(draft)
    if serving is None or model is None:
        raise ValueError("Serve was reached without a model to serve")
    stage = draft.stage("Serve")
    if stage.state == "Pending":
        stage = _start(draft, stage)
    draft.update(phase="RollingOut")
    why, text = revisions.trouble(draft, serving, draft.run)
    for refusal in (draft.observed.refusal("Deployment"), route.refused(draft, serving)):
        if refusal is not None and refusal.invalid:
            roll_back(draft, f"the API server refuses {refusal}")
            return
    deployment = revisions.ensure(draft, serving, model, draft.run)
    if deployment is not None and revisions.is_ready(deployment):
        route.lead_to(draft, serving, draft.run)
        if (denied := route.refused(draft, serving)) is None:
            return
        why, text = "Forbidden", f"the API server refuses {denied}"
    if deployment is None and not why:
        # It was not there, or not as it is wanted: its time begins when it is.
        stage = draft.update_stage("Serve", attemptTime=draft.timestamp)
    name = revision_name(serving_name(draft.job, serving), draft.run)
    _wait(draft, serving, stage, why or "Starting", text or f"{name} is starting")


def _wanted(draft: Draft) -> tuple[Serving | None, Artifact | None]:
    return draft.job.spec.serving, draft.status.artifacts.compressed


def _start(draft: Draft, stage: Stage) -> Stage:
    return draft.update_stage(
        "Serve",
        state="Running",
        startTime=stage.startTime or draft.timestamp,
        attempts=stage.attempts + 1,
        attemptTime=draft.timestamp,
        specHash=stage_hash(draft.job, "Serve"),
    )


def _wait(draft: Draft, serving: Serving, stage: Stage, reason: str, text: str) -> None:
    began = times.to_seconds(stage.attemptTime or draft.timestamp)
    deadline = began + serving.rollout.progressDeadlineSeconds
    if draft.now >= deadline:
        roll_back(draft, f"not ready within rollout.progressDeadlineSeconds: {text}")
        return
    if not serves(draft):
        draft.set_condition("Serving", "False", reason, text)
    if reason != "Starting" and stage.message != text:
        draft.event("Warning", reason, text)
    draft.update_stage("Serve", message=text)
    draft.look_again(deadline)


def _finish(draft: Draft, serving: Serving, deployment: DeploymentView, model: Artifact) -> None:
    url, before = route.url(draft, serving), draft.status.serving
    revision = draft.run_hash
    draft.update(
        serving=ServingStatus(
            revision=revision,
            state="Serving",
            url=url,
            model=model,
            readyReplicas=deployment.ready_replicas,
            trafficPercent=100,
            lastRollback=before.lastRollback if before else None,
        )
    )
    text = f"{url}/v1/models/{serving_name(draft.job, serving)}:predict"
    draft.update_stage("Serve", state="Succeeded", completionTime=draft.timestamp, message=text)
    draft.set_condition("Serving", "True", "RevisionServes", text)
    draft.event("Normal", "Serving", f"revision {revision} answers at {text}")
