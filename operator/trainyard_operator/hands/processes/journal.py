"""What a local run leaves on the disk, so that the next start goes on from there.

DIR/job.json is the whole resource as a cluster would keep it, DIR/status.json its status,
DIR/data.json what its data looked like. A lock keeps two runs from one folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from trainyard_api.model import Document
from trainyard_api.spec import TrainingJob
from trainyard_operator.hands.processes.data_seen import DataSeen
from trainyard_operator.hands.processes.errors import WrongInput

D = TypeVar("D", bound=Document)


class Journal:
    """The job on the disk."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        WrongInput: the folder cannot be written, or another run has it.
        """
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WrongInput(
                f"{folder} is in use by another run; end that one, or give another --output"
            ) from error
        except OSError as error:
            raise WrongInput(f"{folder} cannot be written: {error.strerror}") from error

    def take_up(self, job: TrainingJob) -> TrainingJob:
        """The job with the identity and the status that an earlier start has left.

        A spec that changed is a new generation, as in a cluster.
        """
        before = self._read("job.json", TrainingJob)
        if before is None or before.metadata.name != job.metadata.name:
            fresh = {
                "uid": str(uuid.uuid4()),
                "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            return job.model_copy(update={"metadata": job.metadata.model_copy(update=fresh)})
        kept = {
            "uid": before.metadata.uid,
            "creationTimestamp": before.metadata.creationTimestamp,
            "generation": before.metadata.generation + _asked_anew(before, job),
        }
        metadata = job.metadata.model_copy(update=kept)
        return job.model_copy(update={"metadata": metadata, "status": before.status})

    def data(self) -> DataSeen | None:
        """What the data looked like when the job was last started, if that is known."""
        return self._read("data.json", DataSeen)

    def write_data(self, seen: DataSeen) -> None:
        """Write what the data looks like, before a run begins with it."""
        self._replace("data.json", seen.to_dict())

    def write(self, job: TrainingJob) -> None:
        """Write the job and its status; a reader sees the old or the new, never a part."""
        self._replace("job.json", job.to_dict())
        self._replace("status.json", job.status.to_dict())

    def _read(self, name: str, kind: type[D]) -> D | None:
        path = self._folder / name
        if not path.exists():
            return None
        try:
            return kind.model_validate_json(path.read_text())
        except ValidationError as error:
            raise WrongInput(
                f"{path} was written by another version or is damaged; give another --output"
            ) from error

    def _replace(self, name: str, content: dict[str, object]) -> None:
        aside = self._folder / f".{name}.new"
        aside.write_text(json.dumps(content, indent=2) + "\n")
        os.replace(aside, self._folder / name)


def _asked_anew(before: TrainingJob, job: TrainingJob) -> bool:
    """Whether this start asks for something new: another spec, or a failed job once more."""
    return before.spec != job.spec or before.status.phase == "Failed"
