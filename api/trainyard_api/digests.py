"""sha256 of artifacts: files, and folders as a whole."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """Hexadecimal sha256 of a folder: of the lines `DIGEST  RELATIVE/PATH` of its files.

    They are sorted by the bytes of the path, and each ends with a newline, the last one too. The
    same as `cd FOLDER && find . -type f -printf '%P\\n' | LC_ALL=C sort |
    xargs -r -d '\\n' sha256sum | sha256sum`, where no name has a backslash in it.
    """
    files = sorted(
        (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()),
        key=lambda name: name.encode(),
    )
    lines = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def artifact_sha256(path: Path) -> str:
    """Digest of a file or of a folder."""
    return folder_sha256(path) if path.is_dir() else file_sha256(path)
