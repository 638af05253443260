"""Whether there is room: a full disk in the middle of a build says nothing that helps."""

from __future__ import annotations

import shutil
from pathlib import Path

from trainyard_images.errors import ImagesError

_GIBIBYTE = 1 << 30


def require_disk(folder: Path, needed: int) -> None:
    """Checks that a folder's file system has room.

    Args:
        folder: it need not exist yet.
        needed: bytes.

    Raises:
        ImagesError: it has not.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ImagesError(
            f"{folder} has {free / _GIBIBYTE:.1f} GB free, and this takes "
            f"{needed / _GIBIBYTE:.0f}; make room, or set TRAINYARD_CACHE to a folder that has it"
        )
