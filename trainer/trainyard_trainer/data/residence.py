"""Where rows are kept: in memory where they fit, else in a file on this machine's own disk.

Whatever a source's format, its rows are read once, decoded and encoded once, and kept as records
of equal size. A step then finds any row by its number without decoding anything, and a worker's
memory does not grow with the data.
"""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.memory import aligned
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Features, Numbers, StoredRows
from trainyard_trainer.data.scratch import ScratchFile
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
    """Rows in a file of records, of which memory holds what a step takes and no more.

    Rows are read, not mapped: newer kernels map up to 2 MB around each row that is touched, which
    makes gigabytes of what a call takes.
    """

    def __init__(
        self,
        file: IO[bytes],
        rows: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        shift: NDArray[np.float64] | None = None,
    ) -> None:
        """Args:
        file: the records, one after another; it is kept open.
        shift: see `Resident`.
        """
        self._file = file
        self._count = rows
        self._shift = shift
        # As rows in memory are: of the same types.
        self._like = Resident(np.empty((0, *shape), dtype), shift)
        self._record = math.prod(shape) * dtype.itemsize
        if rows:
            # Neighbours of a row in the file are not its neighbours in an epoch.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._like.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._like.dtype

    @property
    def stored(self) -> np.dtype[Any]:
        """Type in which the rows are stored."""
        return self._like.stored

    def __len__(self) -> int:
        return self._count

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        records = self._read(numbers)
        if self.stored == self.dtype and self._shift is None:
            return records
        return Resident(records, self._shift).take(np.arange(len(numbers), dtype=np.int64))

    def wide(self, numbers: Numbers) -> NDArray[np.float64]:
        """The rows of these numbers before the shift, in float64."""
        return self._read(numbers).astype(np.float64)

    def shifted(self, shift: NDArray[np.float64]) -> Streamed:
        """The same rows, from which `shift` is taken off."""
        return Streamed(self._file, self._count, self.shape, self.stored, shift)

    def _read(self, numbers: Numbers) -> NDArray[Any]:
        """Records as they are stored; those that follow each other are read together."""
        records = aligned((len(numbers), *self.shape), self.stored)
        if not len(numbers) or not self._record:
            return records
        flat: Any = records.reshape(-1).view(np.uint8)
        into = memoryview(flat)
        begins = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
        bounds = zip(
            (begins * self._record).tolist(),
            (np.append(begins[1:], len(numbers)) * self._record).tolist(),
            (numbers[begins] * self._record).tolist(),
            strict=True,
        )
        descriptor, read = self._file.fileno(), os.preadv
        for first, end, offset in bounds:
            done = read(descriptor, (into[first:end],), offset)
            while first + done < end:
                more = read(descriptor, (into[first + done : end],), offset + done)
                if more == 0:
                    raise StoreUnavailable("the records on the worker's disk were cut off")
                done += more
        return records


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
