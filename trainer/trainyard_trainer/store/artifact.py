"""The folder of a run: what its parts are called, and how an artifact is known again."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import claim, local_path
from trainyard_api.status import Artifact
from trainyard_trainer.errors import ModelRejected, StoreUnavailable
from trainyard_trainer.store.bucket import Bucket
from trainyard_trainer.store.disk import Disk
from trainyard_trainer.store.fence import Writer
from trainyard_trainer.store.location import Location
from trainyard_trainer.store.refusals import STORE, guarded
from trainyard_trainer.store.shelf import Shelf

CHECKPOINTS: Final = "checkpoints"
SAVED_MODEL: Final = "model/saved_model"
KERAS_MODEL: Final = "model/model.keras"
PREPARED: Final = "prepared"
RESULT: Final = "model/result.json"
LEARNING_RATE: Final = "model/learning-rate.json"
COMPRESSED: Final = "compressed"

_HOW_DIGESTS_ARE_MADE: Final = (
    "A file's digest is that of its bytes, a folder's that of the lines 'DIGEST  RELATIVE/PATH' "
    "of its files, sorted by path, each with a newline; 'trainyard digest PATH' prints it"
)


@dataclass(frozen=True)
class Part:
    """One file or folder of a store."""

    shelf: Shelf
    name: str

    def publish(self, write: Callable[[Path], object]) -> None:
        """Put it in place as a whole; what is there is replaced.

        Args:
            write: writes the file or folder at the path that it is given.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
            Superseded: a later attempt writes this store.
        """
        self.shelf.publish(self.name, write)

    def announce(self, write: Callable[[Path], object]) -> Artifact:
        """Put it in place as `publish` does, and give its address and digest.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
            Superseded: a later attempt writes this store.
        """
        digests: list[str] = []

        def write_and_look(path: Path) -> None:
            write(path)
            digests.append(artifact_sha256(path))

        uri = self.shelf.publish(self.name, write_and_look)
        return Artifact(uri=uri, sha256=digests[0])

    def read(self) -> bytes | None:
        """A file's bytes; None where there is none.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
        """
        return self.shelf.read(self.name)

    def on_disk(self) -> AbstractContextManager[Path]:
        """Its path, or that of a copy, which is gone after the context.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
        """
        return self.shelf.on_disk(self.name)

    def verify(self, sha256: str) -> None:
        """Make sure that it has the digest that was announced.

        Raises:
            ModelRejected: it has not.
            StoreUnavailable, InvalidSpec: it cannot be read.
        """
        with self.on_disk() as path:
            verify(path, sha256)


@dataclass(frozen=True)
class Folder:
    """A folder of a store in which files come and go one by one, as checkpoints do."""

    shelf: Shelf
    name: str

    def below(self, name: str) -> Folder:
        """A folder in it, whose files are not among its own."""
        return Folder(self.shelf, f"{self.name}/{name}")

    def names(self) -> list[str]:
        """Names of the whole files in it, sorted.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
        """
        return self.shelf.names(self.name)

    def part(self, name: str) -> Part:
        """A file in it, which need not be there."""
        return Part(self.shelf, f"{self.name}/{name}")

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens where there is none.

        Raises:
            StoreUnavailable, InvalidSpec: the store refuses.
            Superseded: a later attempt writes this store.
        """
        self.shelf.remove(f"{self.name}/{name}")


@dataclass(frozen=True)
class Store:
    """The folder of one run, on a disk or in a bucket."""

    uri: str
    shelf: Shelf

    @classmethod
    def open(cls, uri: str, environ: Mapping[str, str], stage: str, attempt: int) -> Store:
        """The store at a URI, with this process as its only writer from now on.

        Args:
            uri: file://, pvc://, s3://, gs:// or az://.
            environ: has the credentials, and says where claims are mounted.
            stage: "train" or "compress".
            attempt: of the stage, from 1.

        Raises:
            InvalidSpec: the URI or the credentials cannot be used.
            StoreUnavailable: it is away, or its claim is not mounted.
            Superseded: a later attempt of the stage has opened it.
        """
        location = Location.at(uri, environ, STORE)
        _check_mounted(uri, environ)
        writer = Writer(stage, attempt)
        root = location.local
        shelf = Bucket(location, writer) if root is None else Disk(location, root, writer)
        shelf.fence.enter()
        return cls(uri, shelf)

    @property
    def checkpoints(self) -> Folder:
        """Folder of the training's checkpoints."""
        return Folder(self.shelf, CHECKPOINTS)

    @property
    def prepared(self) -> Part:
        """Folder of the rows that later stages go by."""
        return Part(self.shelf, PREPARED)

    @property
    def saved_model(self) -> Part:
        """Folder of the SavedModel."""
        return Part(self.shelf, SAVED_MODEL)

    @property
    def keras_model(self) -> Part:
        """The .keras file."""
        return Part(self.shelf, KERAS_MODEL)

    @property
    def result(self) -> Part:
        """What the training reported, kept for a restart that comes after it."""
        return Part(self.shelf, RESULT)

    @property
    def learning_rate(self) -> Part:
        """What a sweep over learning rates has found, and its losses."""
        return Part(self.shelf, LEARNING_RATE)

    def compressed(self, name: str) -> Part:
        """The .tflite file of a candidate."""
        return Part(self.shelf, f"{COMPRESSED}/{name}.tflite")


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


def _check_mounted(uri: str, environ: Mapping[str, str]) -> None:
    """Make sure that a store's claim is there: nothing is written into the pod's own folders."""
    if (volume := claim(uri)) is None:
        return
    mount = local_path(f"pvc://{volume}", environ)
    if not mount.is_dir():
        raise StoreUnavailable(
            f"{uri}: the claim {volume} is not mounted (no folder {mount}): "
            "check that the PersistentVolumeClaim exists and is bound"
        )
