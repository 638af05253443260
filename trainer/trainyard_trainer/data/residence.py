"""Where rows are kept: in memory where they fit, else in a file on this machine's own disk.

Whatever a source's format, its rows are read once, decoded and encoded once, and kept as records
of equal size. A step then finds any row by its number without decoding anything, and a worker's
memory does not grow with the data.
"""

from __future__ import annotations

import copy
import math
import mmap
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.memory import aligned
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import PIECE_BYTES, Features, Numbers, StoredRows
from trainyard_trainer.data.scratch import ScratchFile

Streaming = Literal["auto", "always", "never"]

SHARE: Final = 0.25
"""Of the memory that this process may use: what resident rows may take of it."""

_ROWS_AT_ONCE: Final = 64
"""Each row of a few bytes brings the pages around it along: up to 2 MB on newer kernels."""

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MEMINFO: Final = Path("/proc/meminfo")


@dataclass(frozen=True)
class Residence:
    """What decides where rows are kept.

    Attributes:
        streaming: of `spec.data.source.streaming`.
        memory: that this process may use, in bytes.
        scratch: folder for what does not fit.
    """

    streaming: Streaming
    memory: int
    scratch: Path

    @classmethod
    def here(cls, streaming: Streaming) -> Residence:
        """That of this process."""
        return cls(streaming, available_memory(), Path(tempfile.gettempdir()))

    def is_streamed(self, size: int) -> bool:
        """Whether rows of `size` bytes in all are kept on the disk."""
        if self.streaming == "auto":
            return size > SHARE * self.memory
        return self.streaming == "always"

    def decided(self, size: int) -> Residence:
        """The same for the parts of a data set that has `size` bytes in all: all are kept in
        memory, or none.
        """
        return replace(self, streaming="always" if self.is_streamed(size) else "never")

    def collect(self, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Collector:
        """What takes rows in their order, and keeps them where they fit.

        Args:
            rows: how many there will be at most.
            shape: of one row.
            dtype: any of numbers; wide ones are kept wide, so that they can be shifted.

        Raises:
            StoreUnavailable: there is no room on the disk.
        """
        size = rows * math.prod(shape) * dtype.itemsize
        if self.is_streamed(size):
            return _OnDisk(self.scratch, shape, dtype)
        return _InMemory(rows, shape, dtype)


class Collector(Protocol):
    """Takes rows, one piece after another."""

    def add(self, rows: Features) -> None:
        """Keep these rows after those that came before.

        Raises:
            StoreUnavailable: there is no room on the disk.
        """

    def finish(self) -> StoredRows:
        """All rows that were added."""


class _InMemory:
    def __init__(self, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._array = aligned((rows, *shape), dtype)
        self._count = 0

    def add(self, rows: Features) -> None:
        self._array[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def finish(self) -> StoredRows:
        return Resident(self._array[: self._count])


class _OnDisk:
    def __init__(self, scratch: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._shape = shape
        self._dtype = dtype
        self._scratch = ScratchFile(scratch)
        self._count = 0

    def add(self, rows: Features) -> None:
        self._scratch.write(np.ascontiguousarray(rows, self._dtype).reshape(-1).view(np.uint8).data)
        self._count += len(rows)

    def finish(self) -> StoredRows:
        self._scratch.flush()
        return Streamed(self._scratch.file, self._count, self._shape, self._dtype)


class Streamed:
    """Rows in a file of records, of which memory holds what a step takes and no more."""

    def __init__(
        self, file: IO[bytes], rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        """Args:
        file: the records, one after another; it is kept open.
        """
        self._file = file
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if rows else None
        array: NDArray[Any] = (
            np.frombuffer(self._map, dtype).reshape(rows, *shape)
            if self._map is not None
            else np.empty((0, *shape), dtype)
        )
        self._rows = Resident(array)
        if self._map is not None:
            # Neighbours of a row in the file are not its neighbours in an epoch.
            self._map.madvise(mmap.MADV_RANDOM)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._rows.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._rows.dtype

    @property
    def stored(self) -> np.dtype[Any]:
        """Type in which the rows are stored."""
        return self._rows.stored

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        if len(numbers) <= self._at_once:
            answer = self._rows.take(numbers)
            self._let_go()
            return answer
        answer = aligned((len(numbers), *self.shape), self.dtype)
        for first in range(0, len(numbers), self._at_once):
            some = numbers[first : first + self._at_once]
            answer[first : first + len(some)] = self._rows.take(some)
            self._let_go()
        return answer

    @property
    def _at_once(self) -> int:
        """Rows that are taken before their pages are let go."""
        row = math.prod(self.shape) * self.stored.itemsize
        return max(1, min(_ROWS_AT_ONCE, PIECE_BYTES // max(1, row)))

    def wide(self, numbers: Numbers) -> NDArray[np.float64]:
        """The rows of these numbers before the shift, in float64."""
        answer = self._rows.wide(numbers)
        self._let_go()
        return answer

    def shifted(self, shift: NDArray[np.float64]) -> Streamed:
        """The same rows, from which `shift` is taken off."""
        other = copy.copy(self)
        other._rows = self._rows.shifted(shift)
        return other

    def _let_go(self) -> None:
        if self._map is not None:
            # The pages stay in the machine's cache, and no longer count as this process's.
            self._map.madvise(mmap.MADV_DONTNEED)


def available_memory() -> int:
    """Bytes that this process may use: its container's limit, or the machine's memory."""
    found = [_machine_memory()]
    for path in _LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    return min(found)


def _machine_memory() -> int:
    for line in _MEMINFO.read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"{_MEMINFO} has no MemTotal")
