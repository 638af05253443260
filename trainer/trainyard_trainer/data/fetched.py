"""A file that is read more than once, or at many places: from this machine's disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trainyard_trainer.data.scratch import ScratchFile
from trainyard_trainer.store import Location


class FetchedFile:
    """A file, of which one in a bucket or on the web is fetched the first time that it is read."""

    def __init__(self, location: Location, scratch: Path) -> None:
        """Args:
        scratch: folder for what is fetched.
        """
        self._location = location
        self._scratch = scratch
        self._fetched: ScratchFile | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it has to be fetched."""
        return self._location.local is None

    @contextmanager
    def opened(self, on_fetched: Callable[[int], None] = lambda _: None) -> Iterator[IO[bytes]]:
        """The file from its beginning; it is opened by one reader at a time.

        Args:
            on_fetched: is told how many more bytes were fetched.

        Raises:
            InvalidData, InvalidSpec: it cannot be opened.
            StoreUnavailable: its location is away, or there is no room on the disk.
        """
        if not self.is_remote:
            with self._location.guarded(), self._location.open() as file:
                yield file
            return
        if self._fetched is None:
            self._fetched = self._fetch(on_fetched)
        self._fetched.file.seek(0)
        yield self._fetched.file

    def _fetch(self, on_fetched: Callable[[int], None]) -> ScratchFile:
        fetched = ScratchFile(self._scratch)
        for piece in self._location.pieces():
            fetched.write(piece)
            on_fetched(len(piece))
        fetched.flush()
        return fetched
