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

from trainyard_trainer.store.fence import Fence
from trainyard_trainer.store.refusals import guarded

_PARTIAL: Final = ".partial-"
_OLD: Final = ".old-"


def publish(target: Path, write: Callable[[Path], object], fence: Fence) -> None:
    """Put a file or a folder in place as a whole.

    Args:
        target: where it shall be; what is there is replaced.
        write: writes the file or folder at the path that it is given, on the same disk and
            with the same suffix.
        fence: of who writes.

    Raises:
        StoreUnavailable: the disk refuses.
        Superseded: a later attempt writes this store.
    """
    with guarded(target, "written"):
        _make_folder(target.parent)
        _clear(target, fence)
        partial = target.with_name(f"{_PARTIAL}{fence.writer.mark}-{target.name}")
        try:
            write(partial)
            _flush(partial)
            fence.check()
            _swap(partial, target, fence.writer.mark)
        except BaseException:
            _remove(partial)
            raise


def put(target: Path, content: bytes, mark: str) -> None:
    """Put a small file in place as a whole, whoever writes.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    with guarded(target, "written"):
        _make_folder(target.parent)
        partial = target.with_name(f"{_PARTIAL}{mark}-{target.name}")
        try:
            partial.write_bytes(content)
            _flush(partial)
            partial.replace(target)
            _flush_entries(target.parent)
        except BaseException:
            _remove(partial)
            raise


def _make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, all of them entered on the disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_entries(folder.parent)


def _clear(target: Path, fence: Fence) -> None:
    """Remove what attempts that are over left beside `target`; a newer one's is left alone."""
    for begin in (_PARTIAL, _OLD):
        for left in target.parent.glob(f"{begin}*-{target.name}"):
            mark = left.name.removeprefix(begin).removesuffix(f"-{target.name}")
            if fence.writer.outlives(mark):
                _remove(left)


def _swap(partial: Path, target: Path, mark: str) -> None:
    if target.is_dir():
        # A folder cannot be renamed over another one that has files in it.
        old = target.with_name(f"{_OLD}{mark}-{target.name}")
        target.rename(old)
        partial.rename(target)
        _remove(old)
    else:
        partial.replace(target)
    _flush_entries(target.parent)


def _flush(path: Path) -> None:
    """Bring a file, or a folder with all that is below it, to the disk: the deepest first, so that
    no folder is there before what it names.
    """
    if path.is_file():
        _flush_file(path)
        return
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _flush_file(Path(folder, name))
        _flush_entries(Path(folder))


def _flush_file(path: Path) -> None:
    with path.open("rb") as opened:
        os.fsync(opened.fileno())


def _flush_entries(folder: Path) -> None:
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
