"""What is to be done: the outcome of a decision, carried out by either pair of hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trainyard_api.status import TrainingJobStatus

Manifest = dict[str, Any]
"""A Kubernetes object as plain JSON types."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object of the job's namespace."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """What `kubectl describe` is to show."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in this order: status, replace, delete, create, events.

    Status comes first: what a stage has yielded, or that an attempt is over, is never lost
    when the hands are stopped in the middle. Everything else follows from status again.
    """

    status: TrainingJobStatus
    replace: tuple[Manifest, ...] = ()
    """Objects that exist and must change: server-side apply, as the whole of our fields."""
    delete: tuple[ObjectRef, ...] = ()
    create: tuple[Manifest, ...] = ()
    events: tuple[Event, ...] = ()
    look_again: float | None = None
    """When to decide again at the latest, in seconds since the epoch."""


def aggregated(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events of one decision, with the good news in one of them: a write for each costs more
    than the reader of several gains."""
    normal = [event for event in events if event.type == "Normal"]
    if len(normal) < 2:
        return tuple(events)
    told = ". ".join(f"{event.reason}: {event.message}" for event in normal[:-1])
    last = normal[-1]
    one = Event("Normal", last.reason, f"{last.message}. {told}")
    return (*(event for event in events if event.type != "Normal"), one)
