"""Where rows are kept: in memory where they fit, else in a file on this machine's own disk.

Whatever a source's format, its rows are read once, decoded and encoded once, and kept as records
of equal size. A step then finds any row by its number without decoding anything, and a worker's
memory does not grow with the data.
"""

from __future__ import annotations

import errno
import math
import mmap
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.memory import aligned
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Features, Numbers, RowSource
from trainyard_trainer.errors import StoreUnavailable

Streaming = Literal["auto", "always", "never"]

SHARE: Final = 0.25
"""Of the memory that this process may use: what resident rows may take of it."""

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

    def collect(self, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Collector:
        """What takes rows in their order, and keeps them where they fit.

        Args:
            rows: how many there will be at most.
            shape: of one row.
            dtype: one that `RowSource.dtype` may be.

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

    def finish(self) -> RowSource:
        """All rows that were added."""


class _InMemory:
    def __init__(self, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._array = aligned((rows, *shape), dtype)
        self._count = 0

    def add(self, rows: Features) -> None:
        self._array[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def finish(self) -> RowSource:
        return Resident(self._array[: self._count])


class _OnDisk:
    def __init__(self, scratch: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._scratch = scratch
        self._shape = shape
        self._dtype = dtype
        try:
            # It has no name any more: however this process ends, it leaves nothing behind.
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
        except OSError as error:
            raise _no_room(scratch, error) from error
        self._count = 0

    def add(self, rows: Features) -> None:
        try:
            self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        except OSError as error:
            raise _no_room(self._scratch, error) from error
        self._count += len(rows)

    def finish(self) -> RowSource:
        try:
            self._file.flush()
        except OSError as error:
            raise _no_room(self._scratch, error) from error
        return Streamed(self._file, self._count, self._shape, self._dtype)


class Streamed:
    """Rows in a file of records, of which memory holds what a step takes and no more."""

    def __init__(
        self, file: IO[bytes], rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        """Args:
        file: the records, one after another; it is kept open.
        """
        self._file = file
        self._shape = shape
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if rows else None
        self._rows: NDArray[Any] = (
            np.frombuffer(self._map, dtype).reshape(rows, *shape)
            if self._map is not None
            else np.empty((0, *shape), dtype)
        )
        if self._map is not None:
            # Neighbours of a row in the file are not its neighbours in an epoch.
            self._map.madvise(mmap.MADV_RANDOM)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._rows.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        answer = aligned((len(numbers), *self._shape), self.dtype)
        np.take(self._rows, numbers, axis=0, out=answer, mode="clip")
        if self._map is not None:
            # The pages stay in the machine's cache, and no longer count as this process's.
            self._map.madvise(mmap.MADV_DONTNEED)
        return answer


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


def _no_room(scratch: Path, error: OSError) -> StoreUnavailable:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cure = (
        "it is full: give the pod more ephemeral storage, or set spec.data.source.streaming: never "
        "and enough memory"
        if full
        else "the pod's user needs to write it"
    )
    return StoreUnavailable(f"{scratch}: rows cannot be kept there ({error.strerror}); {cure}")
