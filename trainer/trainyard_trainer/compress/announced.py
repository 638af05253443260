"""The model that training has announced, before anything is made from it.

A program of one's own announces an address and a digest, and may be wrong in either. That is no
fault of the store: the same would be found again, so it is told once, with the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_api.locations import claim, local_path
from trainyard_trainer.errors import InvalidResult, InvalidSpec
from trainyard_trainer.store import STORE, Entry, Location, guarded, verify

_LISTED: Final = 5
_MARKS: Final = ("saved_model.pb", "saved_model.pbtxt")


@dataclass(frozen=True)
class Announced:
    """What the result of training has announced.

    Attributes:
        what: it is, for messages.
    """

    uri: str
    sha256: str
    what: str


def announced_model(
    uri: str, sha256: str, storage: str, environ: Mapping[str, str], scratch: Path
) -> Path:
    """The SavedModel's folder, which is there and the one that was announced.

    Args:
        uri: the address in the result of training.
        sha256: the digest in it.
        storage: URI of the run's folder.
        environ: has the credentials of the store, and says where claims are mounted.
        scratch: an empty folder, for the copy of a model that is in a bucket.

    Raises:
        InvalidSpec: the address has no path in a pod.
        InvalidResult: the store answers, and there is no SavedModel at the address.
        ModelRejected: it has another digest.
        StoreUnavailable: it cannot be read.
    """
    path = announced_folder(Announced(uri, sha256, "its model"), storage, environ, scratch)
    with guarded(path, "read"):
        if not any((path / mark).is_file() for mark in _MARKS):
            raise InvalidResult(
                f"{uri}: it is no SavedModel (no {_MARKS[0]} in it), and the result of training "
                "has to name one as its model; write it with model.export(FOLDER)"
            )
    return path


def announced_folder(
    announced: Announced, storage: str, environ: Mapping[str, str], scratch: Path
) -> Path:
    """A folder that was announced, which is there and has the digest.

    Args:
        storage, environ, scratch: as for `announced_model`.

    Raises:
        InvalidSpec, InvalidResult, ModelRejected, StoreUnavailable: as of `announced_model`.
    """
    try:
        location = Location.at(announced.uri, environ, STORE)
    except InvalidSpec as error:
        raise InvalidSpec(f"the result of training names {announced.uri}: {error}") from error
    if (path := location.local) is None:
        target = scratch / announced.what.rpartition(" ")[2]
        path = _copied(location, announced, storage, environ, target)
    else:
        with guarded(path, "read"):
            if not path.exists() and _is_answered(announced.uri, storage, environ):
                raise InvalidResult(_nothing_there(announced, path))
    verify(path, announced.sha256)
    return path


def _copied(
    location: Location,
    announced: Announced,
    storage: str,
    environ: Mapping[str, str],
    target: Path,
) -> Path:
    """A copy of what is at a location of a bucket.

    Raises:
        InvalidResult: nothing is there.
    """
    files = location.files(hidden=True)
    if not files:
        beside = Location.at(storage, environ, STORE).files()
        raise InvalidResult(_nothing(announced, storage, [_first(entry) for entry in beside]))
    for entry in files:
        location.below(entry.name).copy_to(target / entry.name if entry.name else target)
    return target


def _first(entry: Entry) -> str:
    return entry.name.split("/")[0]


def _is_answered(uri: str, storage: str, environ: Mapping[str, str]) -> bool:
    """Whether what holds the address answers, so that what is not found in it is not there.

    The claim of the job's own store must be mounted. Another claim that is not mounted never
    will be: pods have the claims of the job's data and store alone.
    """
    volume = claim(uri)
    if volume is None or volume != claim(storage):
        return True
    return local_path(f"pvc://{volume}", environ).is_dir()


def _nothing_there(announced: Announced, path: Path) -> str:
    """That nothing is at an address, and what is beside it.

    Raises:
        OSError: the store does not answer after all.
    """
    nearest = next(parent for parent in path.parents if parent.exists())
    return _nothing(announced, str(nearest), [entry.name for entry in nearest.iterdir()])


def _nothing(announced: Announced, near: str, beside: list[str]) -> str:
    names = sorted(set(beside))
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    return (
        f"{announced.uri}: nothing is there, and the result of training names it as "
        f"{announced.what}. The program has to write it there before it ends, below "
        f"TRAINYARD_STORAGE; {near} has: "
        f"{listed or 'nothing'}"
    )
