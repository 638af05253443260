"""One place of the world's data, by URI: a file, a claim, a bucket, a web address.

Readers and stores ask a location and nothing else, so that each of them works on a disk and in
a bucket. A backend's library is imported when the first location of its scheme is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from trainyard_api import buckets, environment
from trainyard_api.locations import UnsupportedLocation, claim, join, local_path
from trainyard_api.locations import scheme as scheme_of
from trainyard_trainer.errors import StoreUnavailable
from trainyard_trainer.store import web
from trainyard_trainer.store.refusals import (
    DATA,
    Role,
    bucket_guarded,
    data_guarded,
    guarded,
)

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from obstore.store import ObjectStore

_CHUNK: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One file below a location.

    Attributes:
        name: relative to the location, with slashes; empty where the location is the file.
        size: in bytes.
        identity: changes when the content does: the store's ETag, or time and size.
    """

    name: str
    size: int
    identity: str


@dataclass(frozen=True)
class Location:
    """A file or folder, wherever it is.

    Attributes:
        uri: as in the spec.
        path: as `filesystem` wants it.
        role: what it is to the job, for messages.
    """

    uri: str
    path: str
    role: Role = DATA
    _bucket: ObjectStore | None = field(default=None, repr=False, compare=False)

    @classmethod
    def at(cls, uri: str, environ: Mapping[str, str], role: Role = DATA) -> Location:
        """The location that a URI names; it is not touched, but for the claim being mounted.

        Args:
            uri: file://, pvc://, s3://, gs://, az://, and https:// for data.
            environ: has the credentials, and says where claims are mounted.
            role: DATA or STORE.

        Raises:
            InvalidData, InvalidSpec: the URI or the credentials cannot be used.
            StoreUnavailable: the store's claim is not mounted.
        """
        scheme = scheme_of(uri)
        if scheme in buckets.SCHEMES:
            own = of_data(environ) if role is DATA else environ
            try:
                bucket = buckets.open_bucket(uri, own)
            except buckets.WrongCredentials as error:
                raise role.refused(f"{role.secret}: {uri}: {error}") from None
            return cls(uri, "/".join(part for part in buckets.split(uri) if part), role, bucket)
        if scheme == "https" and role is DATA:
            return cls(uri, uri, role)
        try:
            path = local_path(uri, environ)
            if role is not DATA and (volume := claim(uri)) is not None:
                _check_mounted(uri, volume, local_path(f"pvc://{volume}", environ))
        except UnsupportedLocation as error:
            raise role.refused(f"{role.uri}: {error}") from error
        return cls(uri, str(path), role)

    @property
    def local(self) -> Path | None:
        """Its path on this machine's disks; None for buckets and web addresses."""
        return Path(self.path) if scheme_of(self.uri) in ("file", "pvc") else None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.uri.partition("?")[0].rstrip("/").rpartition("/")[2]

    @cached_property
    def filesystem(self) -> AbstractFileSystem:
        """fsspec's view of it, for libraries that want one; `path` is a path in it."""
        if self._bucket is not None:
            from trainyard_trainer.store.bucket_filesystem import of_bucket

            return of_bucket(scheme_of(self.uri), self._bucket)
        if scheme_of(self.uri) == "https":
            return web.filesystem(self.uri)
        from fsspec.implementations.local import LocalFileSystem

        return LocalFileSystem()

    def below(self, name: str) -> Location:
        """The location of a file or folder below this one; itself for an empty name."""
        if not name:
            return self
        path = self.path.rstrip("/") + "/" + name
        below = replace(self, uri=join(self.uri, name), path=path)
        if scheme_of(self.uri) == "https" or self._bucket is not None:
            # One client for all that is below.
            vars(below).update({k: v for k, v in vars(self).items() if k == "filesystem"})
        return below

    def guarded(self, done: str = "read") -> AbstractContextManager[None]:
        """Turn what the location refuses into errors that name the field and the cure.

        The verbs below do this by themselves; what reads from an opened file is put inside.

        Args:
            done: a participle for the message: "read", "written".
        """
        if (path := self.local) is not None:
            return data_guarded(path) if self.role is DATA else guarded(path, done)
        if self._bucket is None:
            return web.guarded(self.uri, self.role)
        return bucket_guarded(self.uri, self.role, done)

    def exists(self) -> bool:
        """Whether a file or folder is there.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be told.
        """
        with self.guarded():
            if (path := self.local) is not None:
                return path.exists()
            if self._bucket is None:
                return web.exists(self.filesystem, self.uri)
            return self._head() is not None or next(self._objects(), None) is not None

    def files(self) -> list[Entry]:
        """All files at and below it, sorted by name; none where nothing is there.

        Names that begin with a dot, and what lies in folders of such names, are left out.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: they cannot be listed.
        """
        with self.guarded():
            if (path := self.local) is not None:
                found = list(_walk(path))
            elif self._bucket is None:
                found = [Entry("", *web.size_and_identity(self.filesystem, self.uri))]
            else:
                head = self._head()
                found = [self._entry(each) for each in ([head] if head else self._objects())]
        kept = (entry for entry in found if not _is_hidden(entry.name))
        return sorted(kept, key=lambda entry: entry.name)

    def size(self) -> int:
        """Bytes of the file.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it is no file, or cannot be reached.
        """
        with self.guarded():
            if (path := self.local) is not None:
                return path.stat().st_size
            if self._bucket is None:
                return web.size_and_identity(self.filesystem, self.uri)[0]
            return int(self._bucket.head(self._key)["size"])

    def open(self) -> IO[bytes]:
        """The file, for reading at any place; reading goes inside `guarded`.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be opened.
        """
        with self.guarded():
            if (path := self.local) is not None:
                return path.open("rb")
            opened: IO[bytes] = self.filesystem.open(self.path, "rb")
            return opened

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be read.
        """
        with self.guarded():
            if self._bucket is not None:
                return bytes(self._bucket.get(self._key).bytes())
            with self.open() as file:
                return file.read()

    def copy_to(self, target: Path) -> None:
        """Copy the file to the disk, in pieces.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be read, or the disk refuses.
        """
        with guarded(target, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for piece in self.pieces():
                    file.write(piece)

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes, one piece after the other; no piece is larger than some megabytes.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be read.
        """
        with self.guarded():
            if self._bucket is not None:
                yield from map(bytes, self._bucket.get(self._key).stream(min_chunk_size=_CHUNK))
                return
            with self.open() as file:
                while piece := file.read(_CHUNK):
                    yield piece

    @property
    def _key(self) -> str:
        return self.path.partition("/")[2]

    def _head(self) -> Any:
        """What the bucket says of the object at the location; None where there is none."""
        assert self._bucket is not None
        if not self._key:
            return None
        try:
            return self._bucket.head(self._key)
        except FileNotFoundError:
            return None

    def _objects(self) -> Iterator[Any]:
        assert self._bucket is not None
        for chunk in self._bucket.list(self._key or None):
            yield from chunk

    def _entry(self, found: Any) -> Entry:
        name = found["path"].removeprefix(self._key).lstrip("/")
        changed = found["last_modified"].isoformat()
        return Entry(name, found["size"], found["e_tag"] or f"{changed}-{found['size']}")


def of_data(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment as the data's credentials have it.

    Where the data has variables of its own, those of the store are not mixed in: half a key of
    one and half of the other, or the other's session, would be refused.
    """
    own = {
        name.removeprefix(environment.OF_DATA): value
        for name, value in environ.items()
        if name.startswith(environment.OF_DATA)
    }
    if not own:
        return environ
    families = (*buckets.FAMILIES.values(), "STORAGE_EMULATOR_HOST")
    others = {name: value for name, value in environ.items() if not name.startswith(families)}
    return {**others, **own}


def _check_mounted(uri: str, volume: str, mount: Path) -> None:
    if not mount.is_dir():
        raise StoreUnavailable(
            f"{uri}: the claim {volume} is not mounted (no folder {mount}): "
            "check that the PersistentVolumeClaim exists and is bound"
        )


def _walk(path: Path) -> Iterator[Entry]:
    """The files of a folder, or the file itself; links are followed."""
    if path.is_file():
        yield _measured("", path.stat())
        return
    for folder, _, names in os.walk(path, onerror=_raise, followlinks=True):
        for name in names:
            file = Path(folder, name)
            if file.is_file():
                yield _measured(file.relative_to(path).as_posix(), file.stat())


def _raise(error: OSError) -> None:
    # What is not there has no files; what cannot be read is told.
    if not isinstance(error, FileNotFoundError):
        raise error


def _measured(name: str, found: os.stat_result) -> Entry:
    return Entry(name, found.st_size, f"{found.st_mtime_ns}-{found.st_size}")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
