"""Many small files: a picture or a text each."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, TypeVar

from trainyard_trainer.data.parallel import in_order
from trainyard_trainer.data.scratch import ScratchFile
from trainyard_trainer.processors import usable_cpus
from trainyard_trainer.store import Location

R = TypeVar("R")

_CONNECTIONS: Final = 16
"""Files of a bucket that are fetched at once: most of the time of each is waiting."""


class ManyFiles:
    """Files that are read side by side, more than once.

    Those of a bucket are fetched the first time, and kept on this machine's disk.
    """

    def __init__(self, locations: Sequence[Location], scratch: Path) -> None:
        """Args:
        scratch: folder for what is fetched.
        """
        self._locations = locations
        self._scratch = scratch
        self._fetched: dict[int, tuple[int, int]] = {}
        self._file: ScratchFile | None = None
        self._end = 0
        self._lock = threading.Lock()

    def read(
        self, numbers: Sequence[int], work: Callable[[IO[bytes]], R]
    ) -> Iterator[tuple[int, R]]:
        """What `work` makes of each of these files, in their order, with its number.

        Args:
            work: called from several threads.

        Raises:
            InvalidData, StoreUnavailable: a file cannot be read.
        """
        remote = any(location.local is None for location in self._locations)
        threads = max(usable_cpus(), _CONNECTIONS) if remote else usable_cpus()

        def read(number: int) -> tuple[int, R]:
            location = self._locations[number]
            if location.local is None:
                return number, work(io.BytesIO(self._content(number, location)))
            with location.guarded(), location.open() as file:
                return number, work(file)

        return in_order(read, numbers, threads)

    def _content(self, number: int, location: Location) -> bytes:
        if number not in self._fetched:
            content = location.read()
            self._keep(number, content)
            return content
        assert self._file is not None
        first, size = self._fetched[number]
        return os.pread(self._file.file.fileno(), size, first)

    def _keep(self, number: int, content: bytes) -> None:
        with self._lock:
            if self._file is None:
                self._file = ScratchFile(self._scratch)
            self._file.write(content)
            self._file.flush()
            self._fetched[number] = (self._end, len(content))
            self._end += len(content)
