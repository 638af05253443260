"""What disks, buckets and hosts refuse, in the words of the job: the field, and the cure.

All that a store's client raises is translated here. What it says itself is not repeated: some
stores answer with the key that they were given.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_api.bucket_refusals import Refused, is_lasting, refusal, sentence
from trainyard_trainer.errors import InvalidData, InvalidSpec, StoreUnavailable, TrainerError

_CURES: Final = {
    errno.ENOSPC: "it is full: enlarge the volume or delete old runs",
    errno.EDQUOT: "its quota is used up: enlarge it or delete old runs",
    errno.EROFS: "it is mounted read-only: mount it for writing",
    errno.EACCES: "its permissions forbid it: set fsGroup, or the folder's owner",
    errno.EPERM: "its permissions forbid it: set fsGroup, or the folder's owner",
    errno.ENOENT: "it is not there: check that the volume is mounted",
    errno.EIO: "the disk or its network failed: check the volume",
    errno.ESTALE: "the network file system went away: check the volume",
}
_AWAY: Final = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT)
_CURES_OF_DATA: Final = {
    errno.ENOENT: "nothing is there: mend the path",
    errno.EISDIR: "it is a folder: name the file",
    errno.ENOTDIR: "it is a file: name the folder",
}
_READABLE: Final = "the pod's user needs to read it: set fsGroup or the file's mode"


@dataclass(frozen=True)
class Role:
    """What a location is to the job.

    Attributes:
        field: the block of the spec that names it.
        refused: raised for what another attempt cannot cure.
        credentials: the block that has its credentials; None: the same.
    """

    field: str
    refused: type[TrainerError]
    credentials: str | None = None

    @property
    def uri(self) -> str:
        """The field of its address."""
        return f"{self.field}.uri"

    @property
    def secret(self) -> str:
        """The field of its credentials."""
        return f"{self.credentials or self.field}.secretRef"

    @property
    def is_read(self) -> bool:
        """Whether it is never written."""
        return self is not STORE


DATA: Final = Role("spec.data.source", InvalidData)
STORE: Final = Role("spec.storage", InvalidSpec)
CODE: Final = Role("spec.code", InvalidSpec, credentials=DATA.field)


@contextmanager
def guarded(path: Path, done: str) -> Iterator[None]:
    """Turn what the store's disk refuses into StoreUnavailable, with the path and the cure.

    Args:
        path: what is being worked on.
        done: a participle for the message: "written", "read".
    """
    try:
        yield
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "check the volume")
        raise StoreUnavailable(
            f"{path} cannot be {done} ({error.strerror or error}); {cure}"
        ) from error


@contextmanager
def data_guarded(path: Path) -> Iterator[None]:
    """Turn what the data's disk refuses into InvalidData, or StoreUnavailable where it is away."""
    try:
        yield
    except OSError as error:
        message = f"{DATA.uri}: {error.filename or path} cannot be read ({error.strerror or error})"
        if error.errno in _AWAY:
            raise StoreUnavailable(f"{message}; check the volume") from error
        cure = _CURES_OF_DATA.get(error.errno or 0, _READABLE)
        raise InvalidData(f"{message}; {cure}") from error


@contextmanager
def bucket_guarded(uri: str, role: Role, done: str) -> Iterator[None]:
    """Turn what an object store or its network refuses into the role's errors.

    Raises:
        InvalidData, InvalidSpec: another attempt would be refused as well.
        StoreUnavailable: it is away, or was lost midway.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    # The client's own errors, and those of Python that it raises in their stead.
    except (BaseError, OSError) as error:
        # Without the cause: its text may hold what was signed.
        raise translated(refusal(error), uri, role, done) from None


def translated(refused: Refused, uri: str, role: Role, done: str) -> TrainerError:
    """The error that says why `uri` cannot be read or written, and what to do."""
    text = sentence(refused, uri, role.field, done, role.secret)
    lasts = is_lasting(refused) or (refused is Refused.ABSENT and role.is_read)
    return role.refused(text) if lasts else StoreUnavailable(text)
