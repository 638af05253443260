"""What a look at a job's data shows, so that a change of it at the same address starts a new run.

The brain decides by the spec and its annotations alone. Here the files are at hand, and listing
them is cheap: names, sizes and times of change. Their contents are not read, so a file that was
only touched counts as changed: a training too many costs minutes, a model of old data goes
unnoticed. Buckets and web servers are not asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from pathlib import Path

from trainyard_api.locations import UnsupportedLocation, local_path, may_change
from trainyard_api.model import OpenDocument
from trainyard_api.names import ANNOTATION_RETRAIN
from trainyard_api.own_program import brings_its_data
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Event
from trainyard_operator.brain.runs import is_current


class DataSeen(OpenDocument):
    """DIR/data.json: what the data looked like when the job was last started."""

    uri: str
    digest: str | None = None
    """None: it was not looked at, or nothing was there."""
    retrain: str = ""
    """What the current run was begun for, where the data had changed; else empty."""

    def next(self, uri: str, digest: str | None) -> DataSeen:
        """What is known after another look.

        Args:
            uri: of the job's data now. Another one is another spec, which starts a run by itself.
            digest: of what lies there now, or None; data that is away has not changed.
        """
        if uri != self.uri:
            return DataSeen(uri=uri, digest=digest, retrain=self.retrain)
        if digest is None or digest == self.digest:
            return self
        # An earlier version has not looked: what is there now is what there was.
        retrain = self.retrain if self.digest is None else digest
        return DataSeen(uri=uri, digest=digest, retrain=retrain)

    def asked_of(self, job: TrainingJob) -> TrainingJob:
        """The job as it is asked for by its user and by what has become of its data."""
        if not self.retrain:
            return job
        own = job.metadata.annotations.get(ANNOTATION_RETRAIN)
        value = " ".join([*([own] if own else []), f"data {self.retrain}"])
        annotations = {**job.metadata.annotations, ANNOTATION_RETRAIN: value}
        metadata = job.metadata.model_copy(update={"annotations": annotations})
        return job.model_copy(update={"metadata": metadata})


def look(uri: str, environ: Mapping[str, str], written: Sequence[str]) -> str | None:
    """A digest of names, sizes and times of change of all files at and below a URI.

    Args:
        uri: of the data; its last part may be a pattern.
        environ: says where claims are mounted.
        written: URIs of folders that are not looked into: what the job itself writes may lie
            beside its data, and is none.

    Returns:
        None: nothing is there, or it is not on this machine's disk.
    """
    try:
        found = sorted(_files(local_path(uri, environ), set(_folders(written, environ))))
    except (UnsupportedLocation, OSError):
        return None
    if not found:
        return None
    lines = "".join(f"{name}\0{size} {changed}\n" for name, size, changed in found)
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:16]


def word_of_before(
    asked: TrainingJob, before: DataSeen, seen: DataSeen, *, known: bool
) -> Event | None:
    """What is to be told of a model that was trained before.

    Args:
        asked: the job with the status that an earlier start has left.
        before: what its data looked like then.
        seen: what it looks like now.
        known: whether it could be looked at now.
    """
    if asked.status.run is None:
        return None
    number = asked.status.run.id.partition("-")[0]
    if seen.retrain != before.retrain:
        text = f"the data at {seen.uri} has changed since run {number}: the model is trained anew"
        return Event("Normal", "DataChanged", text)
    train = asked.status.stage("Train")
    if train is None or train.state != "Succeeded" or not is_current(asked):
        return None
    again = f"give metadata.annotations a {ANNOTATION_RETRAIN} of another value"
    if brings_its_data(asked.spec):
        text = (
            f"run {number} ran the program, until {train.completionTime}; to run it again, {again}"
        )
        return Event("Normal", "TrainedBefore", text)
    text = f"run {number} trained the model, until {train.completionTime}; it is not trained again"
    if not may_change(seen.uri):
        return Event("Normal", "TrainedBefore", text)
    if known:
        text = f"{text}: the data at {seen.uri} has not changed"
    else:
        text = (
            f"{text}: whether the data at {seen.uri} has changed is not known here; where it has, "
            f"{again}"
        )
    return Event("Normal", "TrainedBefore", text)


def _folders(uris: Sequence[str], environ: Mapping[str, str]) -> Iterator[Path]:
    for uri in uris:
        with contextlib.suppress(UnsupportedLocation):
            yield local_path(uri, environ).resolve()


def _files(path: Path, without: Set[Path]) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of change of each; hidden ones are no data."""
    if path.is_file():
        yield _measured(path.name, path)
    elif path.is_dir():
        for folder, folders, names in os.walk(path, followlinks=True):
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".") and Path(folder, name).resolve() not in without
            ]
            for name in names:
                file = Path(folder, name)
                if not name.startswith(".") and file.is_file():
                    yield _measured(str(file.relative_to(path)), file)
    elif path.parent.is_dir():
        for file in path.parent.iterdir():
            if fnmatchcase(file.name, path.name) and file.is_file():
                yield _measured(file.name, file)


def _measured(name: str, file: Path) -> tuple[str, int, int]:
    found = file.stat()
    return name, found.st_size, found.st_mtime_ns
