"""The conditions of a job: one for each aspect, in the contract's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from trainyard_api.status import MAX_MESSAGE, Condition, ConditionType

Truth = Literal["True", "False", "Unknown"]
_ORDER = {kind: number for number, kind in enumerate(get_args(ConditionType))}


def shortened(text: str) -> str:
    """The text as the API server takes it: one that is too long would hold up all of status."""
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 4]} ..."


def with_condition(conditions: Sequence[Condition], new: Condition) -> list[Condition]:
    """The conditions with `new` in its place; its time moves only when its status does.

    A condition that says the same as before stays as it is.
    """
    before = next((c for c in conditions if c.type == new.type), None)
    if before is not None and before.status == new.status:
        new = new.model_copy(update={"lastTransitionTime": before.lastTransitionTime})
    others = [c for c in conditions if c.type != new.type]
    return sorted([*others, new], key=lambda condition: _ORDER[condition.type])
