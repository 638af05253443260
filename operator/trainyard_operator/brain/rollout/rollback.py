"""A revision that is given up, and what is left of it."""

from __future__ import annotations

from trainyard_api.names import run_hash
from trainyard_api.status import Rollback, ServingStatus
from trainyard_operator.brain.conditions import shortened
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.rollout import route


def serves(draft: Draft) -> bool:
    """Whether a revision answers, be it of an earlier run."""
    return draft.status.serving is not None and draft.status.serving.state == "Serving"


def roll_back(draft: Draft, why: str) -> None:
    """Give the new revision up; the old one never stopped serving."""
    revision = draft.run_hash
    rollback = Rollback(revision=revision, reason=shortened(why), time=draft.timestamp)
    old = draft.status.serving
    status = (
        old.model_copy(update={"lastRollback": rollback})
        if old is not None
        else ServingStatus(revision=revision, state="Failed", lastRollback=rollback)
    )
    draft.update(serving=status)
    fail(draft, "RolloutFailed", why)


def withdraw_candidate(draft: Draft) -> None:
    """A run that has failed, or is suspended, keeps no revision beside the one that serves.

    Traffic is led back first: a Deployment that a Service leads to goes when another serves in its
    place, or when there is none that could.
    """
    status, run = draft.status.serving, draft.run_hash
    if serves(draft) and status is not None and status.revision == run:
        return
    if serves(draft) and route.is_led_to(draft, run):
        return
    for deployment in draft.observed.deployments:
        if run_hash(deployment.run) == run:
            draft.delete("Deployment", deployment.name)
    if not serves(draft) and draft.job.spec.serving is not None and draft.status.phase == "Failed":
        reason = draft.status.condition("Failed")
        why = reason.message if reason else "the run has failed"
        draft.set_condition("Serving", "False", "NoRevision", f"no revision serves: {why}")
