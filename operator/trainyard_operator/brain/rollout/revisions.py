"""The Deployments of a job's endpoint: one for each revision of its model."""

from __future__ import annotations

from trainyard_api.names import revision_name, run_hash
from trainyard_api.spec import Serving
from trainyard_api.status import Artifact
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.observed import DeploymentView
from trainyard_operator.build.deployments import asked_digest, build_deployment, serving_name


def existing(draft: Draft, name: str) -> DeploymentView | None:
    """A Deployment of the job by its name."""
    return next((d for d in draft.observed.deployments if d.name == name), None)


def of_run(draft: Draft, serving: Serving, run: str) -> DeploymentView | None:
    """The Deployment of a run under the endpoint's present name."""
    return existing(draft, revision_name(serving_name(draft.job, serving), run))


def is_ready(deployment: DeploymentView) -> bool:
    """Whether all of its pods answer; one that somebody has scaled to none does not."""
    return deployment.current and deployment.ready_replicas > 0


def ensure(draft: Draft, serving: Serving, model: Artifact, run: str) -> DeploymentView | None:
    """The Deployment of a run as the spec wants it; None while it is being brought to that.

    Replicas that an autoscaler has set are its own affair.
    """
    there = of_run(draft, serving, run)
    if there is None:
        draft.create(build_deployment(draft.job, serving, run, model, draft.settings))
        return None
    scaled = there.replicas != serving.replicas and not there.autoscaled
    if there.digest != asked_digest(draft.job, serving, run, model) or scaled:
        draft.replace(build_deployment(draft.job, serving, run, model, draft.settings))
        return None
    return there


def trouble(draft: Draft, serving: Serving, run: str) -> tuple[str, str]:
    """What keeps a run's Deployment from being there, as reason and message; empty where nothing
    does."""
    name = revision_name(serving_name(draft.job, serving), run)
    refusal = draft.observed.refusal("Deployment", name)
    if refusal is not None:
        return "Forbidden", f"the API server refuses {refusal}"
    if f"Deployment/{name}" in draft.observed.foreign:
        return "NameTaken", (
            f"a Deployment named {name} exists in namespace {draft.job.metadata.namespace} and "
            "belongs to something else; delete it, or choose another spec.serving.name"
        )
    there = existing(draft, name)
    if there is not None and there.trouble:
        return "PodsRefused", f"Deployment/{name}: {there.trouble}"
    waiting = [
        pod
        for pod in draft.observed.pods
        if pod.stage == "serve"
        and pod.run == run_hash(run)
        and not pod.ready
        and pod.waiting_reason
    ]
    if waiting:
        return waiting[0].waiting_reason, f"{waiting[0].name}: {waiting[0].waiting_message}"
    return "", ""
