"""What is to be done: the outcome of a decision, carried out by either pair of hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trainyard_api.status import TrainingJobStatus

Manifest = dict[str, Any]
"""A Kubernetes object as plain JSON types."""


@dataclass(frozen=True)
class ObjectRef:
    """An object of the job's namespace."""

    kind: str
    name: str


@dataclass(frozen=True)
class Event:
    """What `kubectl describe` is to show."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order: status, delete, replace, create, events.

    Status comes first: what a stage has yielded, or that an attempt is over, is never lost
    when the hands are stopped in the middle. Everything else follows from status again.
    """

    status: TrainingJobStatus
    delete: tuple[ObjectRef, ...] = ()
    replace: tuple[Manifest, ...] = ()
    """Objects that exist and must change: server-side apply, as the whole of our fields."""
    create: tuple[Manifest, ...] = ()
    events: tuple[Event, ...] = ()
    look_again: float | None = None
    """When to decide again at the latest, in seconds since the epoch."""
