"""The Service of the endpoint, and the revision that it leads to."""

from __future__ import annotations

from trainyard_api.names import run_hash
from trainyard_api.spec import Serving
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.observed import Refusal, ServiceView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.brain.rollout import revisions
from trainyard_operator.build.deployments import serving_labels, serving_name
from trainyard_operator.build.drift import service_digest
from trainyard_operator.build.networking import build_serving_service


def url(draft: Draft, serving: Serving) -> str:
    """Where the endpoint answers."""
    name = serving_name(draft.job, serving)
    return draft.settings.service_url(name, draft.job.metadata.namespace, serving.port)


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


def refused(draft: Draft, serving: Serving) -> Refusal | None:
    """What the API server has against the Service of the endpoint's present name."""
    return draft.observed.refusal("Service", serving_name(draft.job, serving))


def never_taken(draft: Draft) -> str:
    """What to say where nothing has begun, and the endpoint's name can never be claimed; else
    empty. What has begun goes on, and its rollout fails by that."""
    serving = draft.job.spec.serving
    begun = any(stage.startTime is not None for stage in draft.status.stages)
    if serving is None or begun or there(draft, serving) is not None:
        return ""
    refusal = refused(draft, serving)
    return f"the API server refuses {refusal}" if refusal is not None and refusal.invalid else ""


def claim(draft: Draft) -> None:
    """Create the Service before anything runs: of two jobs with one name, one fails at once."""
    serving = draft.job.spec.serving
    if serving is not None and there(draft, serving) is None:
        draft.create(_wanted(draft, serving, draft.run))


def there(draft: Draft, serving: Serving) -> ServiceView | None:
    """The Service of the endpoint's present name, if the job has it."""
    name = serving_name(draft.job, serving)
    return next((s for s in draft.observed.services if s.name == name), None)


def lead_to(draft: Draft, serving: Serving, run: str) -> None:
    """Let the Service lead to the pods of a run's model."""
    wanted, existing = _wanted(draft, serving, run), there(draft, serving)
    if existing is None:
        draft.create(wanted)
    elif existing.digest != service_digest(wanted):
        draft.replace(wanted)


def leads_to(draft: Draft, serving: Serving, run: str) -> bool:
    """Whether the Service leads to the pods of a run's model, by the ports that are wanted."""
    existing = there(draft, serving)
    return existing is not None and existing.digest == service_digest(_wanted(draft, serving, run))


def is_led_to(draft: Draft, run: str) -> bool:
    """Whether any Service of the job leads to the pods of that run."""
    return any(
        service.stage == "serve" and service.run == run_hash(run)
        for service in draft.observed.services
    )


def _wanted(draft: Draft, serving: Serving, run: str) -> Manifest:
    """The labels are those of the Deployment as it is: an earlier version may have made it."""
    name = serving_name(draft.job, serving)
    deployment = revisions.of_run(draft, serving, run)
    selector = deployment.selector if deployment else serving_labels(draft.job, name, run)
    return build_serving_service(draft.job, name, run, serving.port, selector)
