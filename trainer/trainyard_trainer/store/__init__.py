"""The folder of a run: where its parts lie, and how they get there without being half there.

A reader never sees an artifact that is not complete: everything is written aside, flushed to
the disk and renamed. What an earlier attempt left is replaced.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import UnsupportedLocation, claim, join, local_path
from trainyard_api.status import Artifact
from trainyard_trainer.errors import InvalidSpec, ModelRejected, StoreUnavailable

CHECKPOINTS: Final = "checkpoints"
SAVED_MODEL: Final = "model/saved_model"
KERAS_MODEL: Final = "model/model.keras"
RESULT: Final = "model/result.json"
COMPRESSED: Final = "compressed"

_HOW_DIGESTS_ARE_MADE: Final = (
    "A file's digest is that of its bytes, a folder's that of the lines 'DIGEST  RELATIVE/PATH' "
    "of its files, sorted by path, each with a newline; 'trainyard digest PATH' prints it"
)
_PARTIAL: Final = ".partial-"
_OLD: Final = ".old-"

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


@dataclass(frozen=True)
class Store:
    """The folder of one run, by URI (for reports) and by path (for this pod)."""

    uri: str
    root: Path

    @classmethod
    def open(cls, uri: str, environ: Mapping[str, str]) -> Store:
        """The store at a file:// or pvc:// URI; nothing is created or touched.

        Raises:
            InvalidSpec: the URI has no path in a pod.
            StoreUnavailable: its claim is not mounted.
        """
        try:
            root = local_path(uri, environ)
            volume = claim(uri)
            mount = None if volume is None else local_path(f"pvc://{volume}", environ)
        except UnsupportedLocation as error:
            raise InvalidSpec(f"spec.storage.uri: {error}") from error
        if mount is not None and not mount.is_dir():
            raise StoreUnavailable(
                f"{uri}: the claim {volume} is not mounted (no folder {mount}): "
                "check that the PersistentVolumeClaim exists and is bound"
            )
        return cls(uri, root)

    @property
    def checkpoints(self) -> Path:
        """Folder of the training's checkpoints."""
        return self.root / CHECKPOINTS

    @property
    def saved_model(self) -> Path:
        """Folder of the SavedModel."""
        return self.root / SAVED_MODEL

    @property
    def keras_model(self) -> Path:
        """The .keras file."""
        return self.root / KERAS_MODEL

    @property
    def result(self) -> Path:
        """What the training reported, kept for a restart that comes after it."""
        return self.root / RESULT

    def compressed(self, name: str) -> Path:
        """The .tflite file of a candidate."""
        return self.root / COMPRESSED / f"{name}.tflite"

    def artifact(self, path: Path) -> Artifact:
        """URI and digest of what was published at `path`, a path below this store.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        with guarded(path, "read"):
            digest = artifact_sha256(path)
        return Artifact(uri=join(self.uri, path.relative_to(self.root).as_posix()), sha256=digest)


def publish(target: Path, write: Callable[[Path], object]) -> None:
    """Put a file or a folder in place as a whole.

    Args:
        target: where it shall be; what is there is replaced.
        write: writes the file or folder at the path that it is given, on the same disk and
            with the same suffix.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    with guarded(target, "written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target)
        partial = target.with_name(f"{_PARTIAL}{os.getpid()}-{target.name}")
        try:
            write(partial)
            _flush(partial)
            _swap(partial, target)
        except BaseException:
            _remove(partial)
            raise


def verify(path: Path, sha256: str) -> None:
    """Make sure that an artifact is the one that was announced, before it is loaded.

    Raises:
        ModelRejected: its digest differs.
        StoreUnavailable: it cannot be read.
    """
    with guarded(path, "read"):
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        found = artifact_sha256(path)
    if found != sha256:
        raise ModelRejected(
            f"{path}: expected sha256 {sha256}, as the result of training has it, found {found}. "
            f"{_HOW_DIGESTS_ARE_MADE}. If a program of your own has reported it, let it report "
            "what that prints; otherwise the model was changed after training: set the annotation "
            "trainyard.dev/retrain to train anew"
        )


@contextmanager
def guarded(path: Path, done: str) -> Iterator[None]:
    """Turn what the disk refuses into StoreUnavailable, with the path and the cure.

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


def _clear(target: Path) -> None:
    """Remove what attempts that were killed left beside `target`."""
    for left in target.parent.glob(f"{_PARTIAL}*-{target.name}"):
        _remove(left)
    for left in target.parent.glob(f"{_OLD}*-{target.name}"):
        _remove(left)


def _swap(partial: Path, target: Path) -> None:
    if target.is_dir():
        # A folder cannot be renamed over another one that has files in it.
        old = target.with_name(f"{_OLD}{os.getpid()}-{target.name}")
        target.rename(old)
        partial.rename(target)
        _remove(old)
    else:
        partial.replace(target)
    _flush_entry(target.parent)


def _flush(path: Path) -> None:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _flush_entry(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
