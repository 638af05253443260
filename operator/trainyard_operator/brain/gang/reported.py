"""What pod 0 of a stage has reported when it ended well."""

from __future__ import annotations

from trainyard_api.results import (
    TerminationMessage,
    is_silent,
    parse_termination_message,
    why_no_document,
)
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.gang.verdict import Cause, Failed
from trainyard_operator.brain.stages.stage import PodStage


def reported(work: PodStage, job: TrainingJob, message: str) -> TerminationMessage | Failed | None:
    """The result in a termination message.

    Returns:
        None: there is none, and nothing asks for one. Failed: what is there is no result; told
        once, since it would be the same again.
    """
    result, asked, field = parse_termination_message(message), work.asked(job), work.name.lower()
    if result is not None and getattr(result, field) is not None:
        return result
    if result is None and not asked and is_silent(message):
        return None
    text = (
        f"the program of stage {work.name} ended well, but its termination message is not the "
        f'document {{"{field}": ...}}'
    )
    why = why_no_document(message) or f"it says {message[:200]}"
    cure = asked or "nothing asks for one: mend it, or write none"
    return Failed(Cause.INVALID, "InvalidResult", f"{text}: {why}; {cure}")
