"""Keeps what is served as the spec wants it, after its run and while a next one trains."""

from __future__ import annotations

from trainyard_api.names import revision_name
from trainyard_api.spec import Serving
from trainyard_api.status import Artifact, ServingStatus
from trainyard_operator.brain.conditions import shortened
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.observed import DeploymentView, Refusal
from trainyard_operator.brain.rollout import revisions, route
from trainyard_operator.build.deployments import serving_name


def keep(draft: Draft, acceptable: bool) -> None:
    """Bring what serves to what the spec says of it.

    Args:
        draft: the plan in the making.
        acceptable: whether the spec can be run; else what serves stays as it is.
    """
    serving, status = draft.job.spec.serving, draft.status.serving
    if not acceptable:
        _see_readiness(draft, serving)
        return
    if serving is None:
        _withdraw(draft)
        return
    if status is None or status.state != "Serving" or status.model is None:
        # Somebody may have erased the status: what answers goes on until another does.
        _remove_others(draft, serving, {draft.run_hash, *_answering(draft)})
        return
    _keep_revision(draft, serving, status, status.model)


def _keep_revision(draft: Draft, serving: Serving, status: ServingStatus, model: Artifact) -> None:
    deployment = revisions.ensure(draft, serving, model, status.revision)
    if not _rolling_out(draft):
        route.lead_to(draft, serving, status.revision)
    answers = route.leads_to(draft, serving, status.revision)
    if deployment is not None and revisions.is_ready(deployment) and answers:
        draft.update(serving=status.model_copy(update={"url": route.url(draft, serving)}))
        _remove_others(draft, serving, {status.revision, draft.run_hash})
    _see_readiness(draft, serving)


def _rolling_out(draft: Draft) -> bool:
    """Whether a rollout is under way that may have led the traffic on already."""
    stage = draft.status.stage("Serve")
    return stage is not None and stage.state == "Running" and not draft.ended


def _see_readiness(draft: Draft, serving: Serving | None) -> None:
    """What serves is only what answers: a revision without a ready replica does not.

    A spec that cannot be run may ask for no endpoint, and takes none away.
    """
    status = draft.status.serving
    if status is None or status.state != "Serving":
        return
    ready = sum(
        deployment.ready_replicas
        for deployment in draft.observed.deployments
        if deployment.run == status.revision and _answers(draft, deployment)
    )
    draft.update(serving=status.model_copy(update={"readyReplicas": ready}))
    if ready == 0:
        why, text = revisions.trouble(draft, serving, status.revision) if serving else ("", "")
        said = text or f"no replica of revision {status.revision} is ready"
        draft.set_condition("Serving", "False", why or "NoReadyReplica", said)
        return
    text, denied = status.url, None
    if serving is not None:
        text = f"{status.url}/v1/models/{serving_name(draft.job, serving)}:predict"
        denied = _denied(draft, serving, status.revision)
    if denied is not None:
        text = f"{text}; but it is not yet as the spec wants it: the API server refuses {denied}"
        before = draft.status.condition("Serving")
        if before is None or before.message != shortened(text):
            draft.event("Warning", "Forbidden", f"the API server refuses {denied}")
    draft.set_condition("Serving", "True", "RevisionServes", text)


def _denied(draft: Draft, serving: Serving, revision: str) -> Refusal | None:
    """What the API server has against a change of what serves."""
    name = revision_name(serving_name(draft.job, serving), revision)
    return draft.observed.refusal("Deployment", name) or route.refused(draft, serving)


def _answering(draft: Draft) -> set[str]:
    """The revisions that answer, whatever status knows of them."""
    deployments = draft.observed.deployments
    return {d.run for d in deployments if d.ready_replicas > 0 and _answers(draft, d)}


def _answers(draft: Draft, deployment: DeploymentView) -> bool:
    """Whether a Service of the job leads to that Deployment's pods; those of another name are not
    its own."""
    return any(
        service.stage == "serve"
        and service.run == deployment.run
        and deployment.name == revision_name(service.name, service.run)
        for service in draft.observed.services
    )


def _remove_others(draft: Draft, serving: Serving, revisions_kept: set[str]) -> None:
    """Delete what served earlier runs, or under an earlier name."""
    name = serving_name(draft.job, serving)
    kept = {revision_name(name, revision) for revision in revisions_kept}
    for deployment in draft.observed.deployments:
        if deployment.name not in kept:
            draft.delete("Deployment", deployment.name)
    for service in draft.observed.services:
        if service.stage == "serve" and service.name != name:
            draft.delete("Service", service.name)


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
