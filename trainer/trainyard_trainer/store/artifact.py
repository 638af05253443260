"""The folder of a run: where its parts lie, and how an artifact is known again."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import UnsupportedLocation, claim, join, local_path
from trainyard_api.status import Artifact
from trainyard_trainer.errors import InvalidSpec, ModelRejected, StoreUnavailable
from trainyard_trainer.store.refusals import guarded

CHECKPOINTS: Final = "checkpoints"
SAVED_MODEL: Final = "model/saved_model"
KERAS_MODEL: Final = "model/model.keras"
RESULT: Final = "model/result.json"
COMPRESSED: Final = "compressed"

_HOW_DIGESTS_ARE_MADE: Final = (
    "A file's digest is that of its bytes, a folder's that of the lines 'DIGEST  RELATIVE/PATH' "
    "of its files, sorted by path, each with a newline; 'trainyard digest PATH' prints it"
)


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
