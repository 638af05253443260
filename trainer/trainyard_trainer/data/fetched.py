"""A file that is read more than once, or at many places: from this machine's disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trainyard_trainer.data.scratch import ScratchFile
from trainyard_trainer.store import Location


class FetchedFile:
    """A file, of which one in a bucket or on the web is fetched once."""

    def __init__(self, location: Location, scratch: Path) -> None:
        """Args:
        scratch: folder for what is fetched.
        """
        self._location = location
        self._scratch = scratch
        self._fetched: Future[ScratchFile] | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it has to be fetched."""
        return self._location.local is None

    def fetch(self, on_fetched: Callable[[int], None]) -> None:
        """Begin to fetch it, unless that was done before or need not be: `opened` waits for it.

        Args:
            on_fetched: is told how many more bytes were fetched, in another thread.
        """
        if not self.is_remote or self._fetched is not None:
            return
        found: Future[ScratchFile] = Future()
        self._fetched = found

        def copy() -> None:
            try:
                found.set_result(self._copy(on_fetched))
            except Exception as error:
                found.set_exception(error)

        # A daemon: who ends because of another file does not wait for this one.
        threading.Thread(target=copy, name="fetch", daemon=True).start()

    @contextmanager
    def opened(self, on_fetched: Callable[[int], None] = lambda _: None) -> Iterator[IO[bytes]]:
        """The file from its beginning; it is opened by one reader at a time.

        Raises:
            InvalidData, InvalidSpec: it cannot be opened.
            StoreUnavailable: its location is away, or there is no room on the disk.
        """
        if not self.is_remote:
            with self._location.guarded(), self._location.open() as file:
                yield file
            return
        self.fetch(on_fetched)
        assert self._fetched is not None
        file = self._fetched.result().file
        file.seek(0)
        yield file

    def _copy(self, on_fetched: Callable[[int], None]) -> ScratchFile:
        fetched = ScratchFile(self._scratch)
        for piece in self._location.pieces():
            fetched.write(piece)
            on_fetched(len(piece))
        fetched.flush()
        return fetched
