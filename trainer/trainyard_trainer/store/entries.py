"""What lies below a location."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


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

    @property
    def is_hidden(self) -> bool:
        """Whether its name, or that of a folder that it is in, begins with a dot."""
        return any(part.startswith(".") for part in self.name.split("/"))


def walk(path: Path) -> Iterator[Entry]:
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
