"""How a file or a folder gets to its place on a disk without being half there.

A reader never sees an artifact that is not complete: everything is written aside, flushed to
the disk and renamed. What an earlier attempt left is replaced.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trainyard_trainer.store.refusals import guarded

_PARTIAL: Final = ".partial-"
_OLD: Final = ".old-"


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
