"""What a reader of files works with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from trainyard_api.spec import Data
from trainyard_trainer.data.bad_rows import BadRows
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.store import Entry, Location

Say = Callable[[str], None]


def silent(_: str) -> None:
    """For whom nobody listens to."""


class Reading:
    """One data set being read.

    Attributes:
        environ: the pod's environment, for other locations of the same store.
        bad: where readers leave rows out.
        notes: sentences for people, which readers add to.
    """

    def __init__(
        self,
        data: Data,
        environ: Mapping[str, str],
        say: Say = silent,
        residence: Residence | None = None,
    ) -> None:
        """Args:
        say: is told how far the reading is.
        residence: by default that of this process.
        """
        self.data = data
        self.environ = environ
        self.residence = residence or Residence.here(data.source.streaming)
        self.bad = BadRows(data.source.maxBadRows)
        self.notes: list[str] = []
        self._say = say

    def progress(self, total: int, doing: str = "reading data") -> Progress:
        """What tells how far the reading of `total` rows (or bytes) is."""
        return Progress(self._say, max(1, total), doing)


@dataclass
class Progress:
    """How far a reading is, said whenever a percent is done."""

    _say: Say
    _total: int
    _doing: str = "reading data"
    _done: int = 0
    _said: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, done: int) -> None:
        """So many more were read. May be called from any thread."""
        with self._lock:
            self._done += done
            percent = min(100, 100 * self._done // self._total)
            if percent > self._said:
                self._said = percent
                self._say(f"{self._doing}: {percent} %")


@dataclass(frozen=True)
class Files:
    """The files of a data set.

    Attributes:
        entries: all at and below the location, sorted by name, hidden ones left out. Where the
            location is a file itself, its one entry has that file's name.
        is_file: whether it is.
    """

    location: Location
    entries: tuple[Entry, ...]
    is_file: bool = field(default=False)

    @classmethod
    def of(cls, location: Location) -> Files:
        """Those of a location."""
        found = location.files()
        if len(found) == 1 and not found[0].name:
            return cls(location, (Entry(location.name, found[0].size, found[0].identity),), True)
        return cls(location, tuple(found))

    @classmethod
    def matching(cls, uri: str, environ: Mapping[str, str]) -> Files | None:
        """Those that the last part of a URI matches, which may have *, ? and [...] in it.

        Returns:
            None: the URI is no such pattern, or nothing matches it.
        """
        above, _, pattern = uri.rpartition("/")
        if not any(each in pattern for each in "*?[") or uri.startswith("https:"):
            return None
        location = Location.at(above, environ)
        found = [each for each in location.files() if fnmatchcase(each.name, pattern)]
        # An asterisk stands for no slash.
        flat = tuple(each for each in found if "/" not in each.name)
        return cls(location, flat) if flat else None

    def at(self, entry: Entry) -> Location:
        """Where one of the entries is."""
        return self.location if self.is_file else self.location.below(entry.name)

    def shown(self, entry: Entry) -> str:
        """Its name for messages."""
        where = self.at(entry)
        return str(where.local or where.uri)

    def top(self) -> tuple[Entry, ...]:
        """Those that lie in no folder."""
        return tuple(entry for entry in self.entries if "/" not in entry.name)
