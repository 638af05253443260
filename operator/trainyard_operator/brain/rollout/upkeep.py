"""Serve: a Deployment for each revision, and a Service that leads to the one that is ready.

The new revision starts beside the old one and gets no traffic until it is ready; the old one
goes only after status says that the new one serves.
"""

from __future__ import annotations

from trainyard_api.names import revision_name, run_hash
from trainyard_api.spec import Serving
from trainyard_api.status import Artifact, Rollback, ServingStatus
from trainyard_operator.brain import times
from trainyard_operator.brain.draft import Draft, shortened
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.observed import DeploymentView, PodView, ServiceView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.deployments import build_deployment, serving_name
from trainyard_operator.build.metadata import digest_of
from trainyard_operator.build.networking import build_serving_service


def decide(draft: Draft) -> None:
    """Bring the rollout of the current run forward."""
    serving, model = draft.job.spec.serving, draft.status.artifacts.compressed
    if serving is None or model is None:
        raise ValueError("Serve was reached without a model to serve")
    stage = draft.status.stage("Serve")
    if stage is not None and stage.state == "Pending":
        stage = draft.update_stage(
            "Serve", state="Running", startTime=draft.timestamp, attemptTime=draft.timestamp
        )
    draft.update(phase="RollingOut")
    deployment = _ensure_deployment(draft, serving, model, draft.run)
    if deployment is None:
        stage = draft.update_stage("Serve", attemptTime=draft.timestamp)
    if deployment is None or not deployment.current:
        began = stage.attemptTime if stage and stage.attemptTime else draft.timestamp
        _wait(draft, serving, times.to_seconds(began))
        return
    _route(draft, serving, draft.run)
    if _routed(draft, serving):
        _finish(draft, serving, deployment, model)


def claim_name(draft: Draft) -> None:
    """Create the Service before anything runs: of two jobs with one name, one fails at once."""
    serving = draft.job.spec.serving
    if serving is None:
        return
    wanted = _service(draft, serving, draft.run)
    if _existing(draft, wanted) is None:
        draft.create(wanted)


def keep(draft: Draft) -> None:
    """Keep what is served as the spec wants it, after its run and while a next one trains."""
    serving, status = draft.job.spec.serving, draft.status.serving
    if serving is None:
        _withdraw(draft)
        return
    if claimed_name(draft) or _refused(draft):
        return
    name = serving_name(draft.job, serving)
    if status is None or status.state != "Serving" or status.model is None:
        _remove_others(draft, name, {run_hash(draft.run)})
        return
    deployment = _ensure_deployment(draft, serving, status.model, status.revision)
    rollout = draft.status.stage("Serve")
    if rollout is None or rollout.state != "Running":
        _route(draft, serving, status.revision)
    if deployment is not None:
        seen = {"readyReplicas": deployment.ready_replicas, "url": _url(draft, serving)}
        draft.update(serving=status.model_copy(update=seen))
    if deployment is not None and deployment.current:
        _remove_others(draft, name, {status.revision, run_hash(draft.run)})


def clean_up(draft: Draft) -> None:
    """A run that has failed leaves nothing running of its own; what served before it stays."""
    status, run = draft.status.serving, run_hash(draft.run)
    if draft.status.phase != "Failed" or (status and _serves(draft) and status.revision == run):
        return
    for deployment in draft.observed.deployments:
        if deployment.run == run:
            draft.delete("Deployment", deployment.name)


def claimed_name(draft: Draft) -> str:
    """What to say where the endpoint's name belongs to something else; else empty."""
    serving = draft.job.spec.serving
    if serving is None:
        return ""
    name = serving_name(draft.job, serving)
    if f"Service/{name}" not in draft.observed.foreign:
        return ""
    return (
        f"spec.serving.name: a Service named {name} exists in namespace "
        f"{draft.job.metadata.namespace} and belongs to something else; choose another name"
    )


def _serves(draft: Draft) -> bool:
    """Whether a revision answers, be it of an earlier run."""
    return draft.status.serving is not None and draft.status.serving.state == "Serving"


def _refused(draft: Draft) -> bool:
    """Whether what is to serve would be refused again: what serves now stays as it is."""
    refusal = draft.observed.refusal
    return (
        refusal is not None
        and refusal.invalid
        and refusal.object.startswith(("Deployment/", "Service/"))
    )


def _remove_others(draft: Draft, name: str, revisions: set[str]) -> None:
    """Delete what served earlier runs, or under an earlier name."""
    names = {revision_name(name, revision) for revision in revisions}
    for deployment in draft.observed.deployments:
        if deployment.name not in names:
            draft.delete("Deployment", deployment.name)
    for service in draft.observed.services:
        if service.stage == "serve" and service.name != name:
            draft.delete("Service", service.name)


def _ensure_deployment(
    draft: Draft, serving: Serving, model: Artifact, run: str
) -> DeploymentView | None:
    wanted = build_deployment(draft.job, serving, run, model, draft.settings)
    name = revision_name(serving_name(draft.job, serving), run)
    existing = next((d for d in draft.observed.deployments if d.name == name), None)
    if existing is None:
        draft.create(wanted)
        return None
    if existing.digest != digest_of(wanted):
        draft.replace(wanted)
        return None
    return existing


def _url(draft: Draft, serving: Serving) -> str:
    name = serving_name(draft.job, serving)
    return draft.settings.service_url(name, draft.job.metadata.namespace, serving.port)


def _service(draft: Draft, serving: Serving, run: str) -> Manifest:
    name = serving_name(draft.job, serving)
    return build_serving_service(draft.job, name, run, serving.port)


def _existing(draft: Draft, wanted: Manifest) -> ServiceView | None:
    name = wanted["metadata"]["name"]
    return next((s for s in draft.observed.services if s.name == name), None)


def _route(draft: Draft, serving: Serving, run: str) -> None:
    """Let the Service lead to the pods of a run's model."""
    wanted = _service(draft, serving, run)
    existing = _existing(draft, wanted)
    if existing is None:
        draft.create(wanted)
    elif existing.digest != digest_of(wanted):
        draft.replace(wanted)


def _routed(draft: Draft, serving: Serving) -> bool:
    wanted = _service(draft, serving, draft.run)
    existing = _existing(draft, wanted)
    return existing is not None and existing.digest == digest_of(wanted)


def _wait(draft: Draft, serving: Serving, began: float) -> None:
    deadline = began + serving.rollout.progressDeadlineSeconds
    waiting = _waiting_pods(draft)
    reason = waiting[0].waiting_reason if waiting else "Starting"
    name = revision_name(serving_name(draft.job, serving), draft.run)
    text = f"{waiting[0].name}: {waiting[0].waiting_message}" if waiting else f"{name} is starting"
    if draft.now >= deadline:
        _roll_back(draft, f"not ready within rollout.progressDeadlineSeconds: {text}")
        return
    if not _serves(draft):
        draft.set_condition("Serving", "False", reason, text)
    draft.update_stage("Serve", message=text)
    draft.look_again(deadline)


def _waiting_pods(draft: Draft) -> list[PodView]:
    run = run_hash(draft.run)
    return [
        pod
        for pod in draft.observed.pods
        if pod.stage == "serve" and pod.run == run and not pod.ready and pod.waiting_reason
    ]


def _roll_back(draft: Draft, why: str) -> None:
    """Give the new revision up (`clean_up` withdraws it); the old one never stopped serving."""
    revision = run_hash(draft.run)
    rollback = Rollback(revision=revision, reason=shortened(why), time=draft.timestamp)
    old = draft.status.serving
    status = (
        old.model_copy(update={"lastRollback": rollback})
        if old is not None
        else ServingStatus(revision=revision, state="Failed", lastRollback=rollback)
    )
    draft.update(serving=status)
    if not _serves(draft):
        draft.set_condition("Serving", "False", "RolledBack", why)
    draft.update_stage("Serve", state="Failed", completionTime=draft.timestamp, message=why)
    fail(draft, "RolloutFailed", why)


def _finish(draft: Draft, serving: Serving, deployment: DeploymentView, model: Artifact) -> None:
    url = _url(draft, serving)
    before = draft.status.serving
    draft.update(
        serving=ServingStatus(
            revision=run_hash(draft.run),
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
    draft.event("Normal", "Serving", f"revision {run_hash(draft.run)} answers at {text}")


def _withdraw(draft: Draft) -> None:
    """The spec has no serving any more."""
    for deployment in draft.observed.deployments:
        draft.delete("Deployment", deployment.name)
    for service in draft.observed.services:
        if service.stage == "serve":
            draft.delete("Service", service.name)
    if draft.status.serving is not None:
        draft.update(serving=None)
        draft.set_condition("Serving", "False", "NotWanted", "spec.serving was removed")
