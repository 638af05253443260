"""One archive of a folder; the same code gives the same bytes, on any machine."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_cli.errors import WrongInput

_LEFT_OUT: Final = ("__pycache__", "node_modules", "venv")
"""Folders that are no code; so are all whose names begin with a dot."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can tell: when files were written is nothing of the code."""
_MODE: Final = 0o644 << 16
_MOST_BYTES: Final = 64 * 1024 * 1024
_SHOWN: Final = 3


@dataclass(frozen=True)
class Packed:
    """An archive.

    Attributes:
        files: how many are in it.
    """

    content: bytes
    files: int

    @property
    def sha256(self) -> str:
        """Its digest, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def write_below(self, folder: Path) -> Path:
        """Put it into a folder, under its digest.

        Raises:
            WrongInput: the folder cannot be written.
        """
        path = folder / f"{self.sha256[:12]}.zip"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(".part")
            beside.write_bytes(self.content)
            beside.replace(path)
        except OSError as error:
            raise WrongInput(f"{path} cannot be written ({error.strerror})") from error
        return path


def pack(folder: Path) -> Packed:
    """An archive of a folder's files.

    Hidden files, compiled modules and virtual environments are left out.

    Raises:
        WrongInput: there is no Python code in it, it cannot be read, or is too large.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "there is no such folder"
        raise WrongInput(f"--code {folder}: {what}")
    files = list(_files(folder))
    if not any(path.suffix == ".py" for path in files):
        raise WrongInput(f"--code {folder}: no Python file is in it")
    if (size := sum(path.stat().st_size for path in files)) > _MOST_BYTES:
        largest = sorted(files, key=lambda path: path.stat().st_size, reverse=True)[:_SHOWN]
        names = ", ".join(str(path.relative_to(folder)) for path in largest)
        raise WrongInput(
            f"--code {folder}: has {size / 2**20:.0f} MiB, of which 64 are packed at most; the "
            f"largest are {names}: give the folder with the code alone"
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = _MODE
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            try:
                archive.writestr(entry, path.read_bytes())
            except OSError as error:
                raise WrongInput(f"--code: {path} cannot be read ({error.strerror})") from error
    return Packed(content.getvalue(), len(files))


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.suffix != ".pyc" and path.is_file():
                yield path


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_OUT or name.endswith(".egg-info")
