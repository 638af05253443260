"""A failed run that goes on: from the stages that are done, and only where that can help."""

from __future__ import annotations

from trainyard_api.status import Restarts, Stage
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.runs import has_changed


def reopen(draft: Draft) -> None:
    """Try the stage that has failed again where what it follows from has changed.

    Its limits count anew: somebody has looked at it. Pods of its last attempt may still be about to
    end, and are waited for.
    """
    if draft.status.phase != "Failed":
        return
    stage = next((s for s in draft.status.stages if s.state != "Succeeded"), None)
    if stage is None or not _may_help(draft, stage):
        return
    draft.update_stage(
        stage.name,
        state="Pending",
        completionTime=None,
        retryTime=draft.timestamp,
        workers=None,
        growTime=None,
        blockedTime=None,
        restarts=Restarts(),
        message="",
    )
    draft.update(phase="Pending", startTime=draft.timestamp, completionTime=None)
    draft.drop_conditions(["Failed"])
    draft.event("Normal", "TriedAgain", f"goes on with stage {stage.name}")


def _may_help(draft: Draft, stage: Stage) -> bool:
    failed = draft.status.condition("Failed")
    if failed is not None and failed.reason == "GateFailed":
        # The same model would be measured the same; only another run can help.
        return False
    if draft.observed.retry:
        return True
    if stage.startTime is None and failed is not None and failed.reason == "InvalidSpec":
        return True
    return has_changed(stage.specHash, draft.job, stage.name)
