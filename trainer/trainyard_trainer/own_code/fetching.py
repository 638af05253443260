"""The code that `spec.code` names, on this machine's disk and among what Python finds."""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trainyard_api import environment
from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import config_map
from trainyard_api.names import CODE_ROOT
from trainyard_api.spec import Code
from trainyard_trainer.errors import InvalidSpec, StoreUnavailable
from trainyard_trainer.store import Location
from trainyard_trainer.store.refusals import CODE

_URI: Final = "spec.code.uri"
_FOLDER: list[Path] = []
"""Where the code of this process is."""


def bring(code: Code | None, environ: Mapping[str, str]) -> None:
    """Fetch the code, make sure that it is what its digest says, and let Python find it.

    Python looks there last: no module of the job takes the place of one that others import.

    Raises:
        InvalidSpec: it is not there, is other code, or no archive.
        StoreUnavailable: its location is away.
    """
    if code is None:
        return
    scratch = Path(tempfile.mkdtemp(prefix="trainyard-code-"))
    path = _on_disk(code.uri, environ, scratch)
    _verify(code, path)
    folder = path if path.is_dir() else _unpacked(code.uri, path, scratch / "modules")
    _FOLDER[:] = [folder]
    sys.path.append(str(folder))


def folder() -> Path | None:
    """Where the job's code is; None: it is in the image."""
    return _FOLDER[0] if _FOLDER else None


def _on_disk(uri: str, environ: Mapping[str, str], scratch: Path) -> Path:
    if (found := config_map(uri)) is not None:
        path = Path(environ.get(environment.CODE) or CODE_ROOT) / found[1]
        if not path.is_file():
            raise InvalidSpec(f"{_URI}: ConfigMap {found[0]} has no key {found[1]}")
        return path
    location = Location.at(uri, environ, CODE)
    if (local := location.local) is not None:
        if not local.exists():
            raise InvalidSpec(f"{_URI}: nothing is at {local}; mend the path")
        return local
    path = scratch / (location.name or "archive")
    location.copy_to(path)
    return path


def _verify(code: Code, path: Path) -> None:
    try:
        found = artifact_sha256(path)
    except OSError as error:
        raise InvalidSpec(f"{_URI}: {path} cannot be read ({error.strerror})") from error
    if found != code.sha256:
        raise InvalidSpec(
            f"spec.code.sha256: {code.uri} has the digest {found}, and not {code.sha256}: it is "
            "other code, and was not run. If it is what you mean, write its digest into the spec"
        )


def _unpacked(uri: str, archive: Path, target: Path) -> Path:
    """The folder with an archive's files. A single folder in it, without modules beside, is it."""
    target.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(target)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as packed_tar:
                packed_tar.extractall(target, filter="data")
        else:
            raise InvalidSpec(f"{_URI}: {uri} is no .zip or .tar.gz archive, and no folder")
    except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InvalidSpec(f"{_URI}: {uri} cannot be unpacked ({error}); pack it anew") from error
    except OSError as error:
        raise StoreUnavailable(
            f"{_URI}: {uri} cannot be unpacked to {target} ({error.strerror}); give the pod more "
            "ephemeral storage"
        ) from error
    inside = [entry for entry in os.scandir(target) if not entry.name.startswith(".")]
    alone = inside[0] if len(inside) == 1 and inside[0].is_dir() else None
    if alone is not None and not Path(alone.path, "__init__.py").exists():
        return Path(alone.path)
    return target
