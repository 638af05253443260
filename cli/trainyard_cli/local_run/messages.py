"""What the program that runs a job says: one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import dataclass

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.show.events import Event


@dataclass(frozen=True)
class StatusChanged:
    """The job's status is another one."""

    status: TrainingJobStatus


@dataclass(frozen=True)
class Happened:
    """An event."""

    event: Event


@dataclass(frozen=True)
class Refused:
    """The job cannot be run as it was asked for."""

    problems: tuple[str, ...]


@dataclass(frozen=True)
class Foreign:
    """A line that is no message: a library wrote to standard output."""

    text: str


Message = StatusChanged | Happened | Refused | Foreign


def parse_message(line: str) -> Message:
    """The message in a line."""
    try:
        document = json.loads(line)
        match document["type"]:
            case "status":
                return StatusChanged(TrainingJobStatus.model_validate(document["status"]))
            case "event":
                return Happened(Event(**document["event"]))
            case "refused":
                return Refused(tuple(document["problems"]))
    except (ValueError, KeyError, TypeError):
        return Foreign(line.rstrip("\n"))
    return Foreign(line.rstrip("\n"))
