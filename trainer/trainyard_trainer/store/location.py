"""One place of the world's data, by URI: a file, a claim, a bucket, a web address.

Readers and stores ask a location and nothing else, so that each of them works on a disk and in
a bucket. A backend's library is imported when the first location of its scheme is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from trainyard_api import buckets
from trainyard_api.locations import UnsupportedLocation, join, local_path
from trainyard_api.locations import scheme as scheme_of
from trainyard_trainer.store import web
from trainyard_trainer.store.credentials import variables_of_data
from trainyard_trainer.store.entries import Entry, walk
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
        """The location that a URI names; nothing is asked of it yet.

        Args:
            uri: file://, pvc://, s3://, gs://, az://, and https:// for data.
            environ: has the credentials, and says where claims are mounted.
            role: DATA, CODE or STORE.

        Raises:
            InvalidData, InvalidSpec: the URI or the credentials cannot be used.
        """
        scheme = scheme_of(uri)
        if scheme in buckets.SCHEMES:
            own = variables_of_data(environ) if role.is_read else environ
            try:
                bucket = buckets.open_bucket(uri, own)
            except buckets.WrongCredentials as error:
                raise role.refused(f"{role.secret}: {uri}: {error}") from None
            return cls(uri, "/".join(part for part in buckets.split(uri) if part), role, bucket)
        if scheme == "https" and role.is_read:
            return cls(uri, uri, role)
        try:
            path = local_path(uri, environ)
        except UnsupportedLocation as error:
            raise role.refused(f"{role.uri}: {error}") from error
        return cls(uri, str(path), role)

    @property
    def local(self) -> Path | None:
        """Its path on this machine's disks; None for buckets and web addresses."""
        return Path(self.path) if scheme_of(self.uri) in ("file", "pvc") else None

    @property
    def shown(self) -> str:
        """Where it is, for messages: the path on this machine's disks, or the URI."""
        return str(self.local or self.uri)

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

    def files(self, *, hidden: bool = False) -> list[Entry]:
        """All files at and below it, sorted by name; none where nothing is there.

        Args:
            hidden: also those whose name, or whose folder's, begins with a dot.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: they cannot be listed.
        """
        with self.guarded():
            if (path := self.local) is not None:
                found = list(walk(path))
            elif self._bucket is None:
                found = [Entry("", *web.size_and_identity(self.filesystem, self.uri))]
            else:
                head = self._head()
                found = [self._entry(each) for each in ([head] if head else self._objects())]
        kept = (entry for entry in found if hidden or not entry.is_hidden)
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

    def is_file(self) -> bool:
        """Whether a file is there; nothing is known of a web address before it is read.

        Raises:
            InvalidData, InvalidSpec, StoreUnavailable: it cannot be told.
        """
        with self.guarded():
            if (path := self.local) is not None:
                return path.is_file()
            return self._bucket is None or self._head() is not None

    def put(self, content: bytes | Path) -> None:
        """Write an object of a bucket, which is there as a whole when this returns.

        Args:
            content: its bytes, or the file that has them.

        Raises:
            InvalidSpec, StoreUnavailable: the bucket refuses.
        """
        assert self._bucket is not None, "disks are written by publish"
        with self.guarded("written"):
            self._bucket.put(self._key, content)

    def delete(self, names: list[str]) -> None:
        """Delete objects of a bucket, by their names below this one; some may be gone already.

        Raises:
            InvalidSpec, StoreUnavailable: the bucket refuses.
        """
        assert self._bucket is not None, "disks are cleared by publish"
        with self.guarded("deleted"):
            if keys := [self.below(name)._key for name in names]:
                self._bucket.delete(keys)

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
