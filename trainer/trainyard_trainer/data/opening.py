"""Where a source is, which format it has, and which reader takes it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trainyard_api.locations import UnsupportedLocation, claim, local_path, scheme
from trainyard_api.spec import Data
from trainyard_trainer.data.readers import idx, npz, packaged
from trainyard_trainer.data.source import FIELD, RawParts
from trainyard_trainer.errors import InvalidData, StoreUnavailable

_AWAY: Final = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT)
_CURES: Final = {
    errno.ENOENT: "it is a link to nothing, or was just removed: fetch it again",
    errno.EISDIR: "it is a folder: put the file in its place",
}


def open_source(data: Data, environ: Mapping[str, str]) -> RawParts:
    """What the source of `data` brings.

    Args:
        environ: the pod's environment, which says where claims are mounted.

    Raises:
        InvalidData: it is not there, or no sound file of its format.
        StoreUnavailable: the volume or a data set's host is away.
    """
    uri = data.source.uri
    kind, _, name = uri.partition("://")
    if kind == "sklearn":
        return packaged.read_sklearn(name)
    if kind == "keras":
        return packaged.read_keras(name)
    try:
        path = local_path(uri, environ)
    except UnsupportedLocation as error:
        raise InvalidData(f"{FIELD}: {error}") from error
    try:
        return _read_files(path, data.source.format, _whereabouts(uri, path))
    except OSError as error:
        raise _refused(error, path) from error


def _read_files(path: Path, format: str, whereabouts: str) -> RawParts:
    if not path.exists():
        raise InvalidData(f"{FIELD}: nothing is there: {whereabouts}; mend the path")
    if format == "auto":
        format = _recognize(path)
    if format == "idx":
        if not path.is_dir():
            raise InvalidData(f"{FIELD}: {path} is a file; name the folder of the idx files")
        return idx.read_folder(path)
    if format == "npz":
        return npz.read(_archive(path))
    raise InvalidData(f"spec.data.source.format: {format} is not built yet; use idx or npz")


def _recognize(path: Path) -> str:
    """The format, by the names of the files."""
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    if any(idx.is_idx(file) for file in files):
        return "idx"
    if any(file.suffix == ".npz" for file in files):
        return "npz"
    listed = ", ".join(file.name for file in files[:5]) or "nothing"
    raise InvalidData(
        f"{FIELD}: {path} has no files of a known format ({listed}); needed are "
        "train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz or not), or one .npz"
    )


def _archive(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted(path.glob("*.npz"))
    if len(found) != 1:
        listed = ", ".join(p.name for p in found) or "none"
        raise InvalidData(f"{FIELD}: {path} must have one .npz file ({listed}); name the file")
    return found[0]


def _whereabouts(uri: str, path: Path) -> str:
    if scheme(uri) == "pvc":
        return f"{uri} (claim {claim(uri)}, {path} in the pod)"
    return str(path)


def _refused(error: OSError, path: Path) -> InvalidData | StoreUnavailable:
    message = f"{FIELD}: {error.filename or path} cannot be read ({error.strerror})"
    if error.errno in _AWAY:
        return StoreUnavailable(f"{message}; check the volume")
    cure = "the pod's user needs to read it: set fsGroup or the file's mode"
    return InvalidData(f"{message}; {_CURES.get(error.errno or 0, cure)}")
