"""Whether a spec can be run. One that cannot says why, and what runs or serves already goes on."""

from __future__ import annotations

from dataclasses import dataclass

from trainyard_api.problems import find_problems
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.rollout import route
from trainyard_operator.brain.runs import is_current


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What keeps a spec from being run; empty where nothing does."""

    problem: str = ""
    """What is wrong with it."""
    refusal: str = ""
    """What of the endpoint the API server would refuse again."""


def accept(draft: Draft) -> Acceptance:
    """Say in the condition Accepted whether the spec can be run."""
    problem = "; ".join(str(problem) for problem in find_problems(draft.job))
    problem = problem or route.claimed_name(draft) or route.never_taken(draft)
    acceptance = Acceptance(problem, _refused(draft))
    if message := acceptance.problem or acceptance.refusal:
        draft.set_condition("Accepted", "False", "InvalidSpec", message)
    else:
        draft.set_condition("Accepted", "True", "Valid", "the spec can be run")
    return acceptance


def is_ahead(draft: Draft) -> bool:
    """Whether the spec was written for a later version, and nothing has begun of it.

    A field that this version does not know may be a default of a newer CRD, in the middle of an
    upgrade: what has begun goes on, and what is new waits for an operator that knows the field.
    """
    if not draft.observed.unknown or is_current(draft.job):
        return False
    fields = ", ".join(draft.observed.unknown)
    draft.event(
        "Warning",
        "UnknownField",
        f"{fields}: not known to this version of the operator, which begins no run with it; "
        "upgrade the operator, or leave the field out",
    )
    return True


def _refused(draft: Draft) -> str:
    """What of the endpoint would be refused again; a pod's refusal is its stage's affair."""
    serving = draft.job.spec.serving
    if serving is None:
        return ""
    for refusal in (draft.observed.refusal("Deployment"), route.refused(draft, serving)):
        if refusal is not None and refusal.invalid:
            return f"the API server refuses {refusal}"
    return ""
