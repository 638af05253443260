"""Files on this machine's own disk for what does not fit into memory."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import IO

from trainyard_trainer.errors import StoreUnavailable


class ScratchFile:
    """A file without a name: however this process ends, it leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        StoreUnavailable: the folder cannot be written.
        """
        self._folder = folder
        try:
            self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise _refused(folder, error) from error

    def write(self, content: bytes | memoryview) -> None:
        """Append to it.

        Raises:
            StoreUnavailable: there is no room.
        """
        try:
            self.file.write(content)
        except OSError as error:
            raise _refused(self._folder, error) from error

    def flush(self) -> None:
        """Let others who read the file see what was written.

        Raises:
            StoreUnavailable: there is no room.
        """
        try:
            self.file.flush()
        except OSError as error:
            raise _refused(self._folder, error) from error


def _refused(folder: Path, error: OSError) -> StoreUnavailable:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cure = (
        "it is full: give the pod more ephemeral storage, or set spec.data.source.streaming: never "
        "and enough memory"
        if full
        else "the pod's user needs to write it"
    )
    return StoreUnavailable(f"{folder}: rows cannot be kept there ({error.strerror}); {cure}")
