"""NumPy archives, of which an array is read piece by piece: no more of it is in memory at once
than where it is kept.
"""

from __future__ import annotations

import math
import mmap
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import checks
from trainyard_trainer.data.collecting import Gathering
from trainyard_trainer.data.fetched import FetchedFile
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.scratch import ScratchFile
from trainyard_trainer.data.source import FIELD, PartName, Raw, RawParts
from trainyard_trainer.data.target import NORMAL
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry

_PARTS: Final[tuple[Mapping[PartName, tuple[str, ...]], ...]] = (
    {
        "train": ("x_train", "train_images", "train_x", "X_train"),
        "validation": ("x_val", "val_images", "val_x", "X_val", "x_valid", "x_validation"),
        "test": ("x_test", "test_images", "test_x", "X_test"),
    },
    {
        "train": ("y_train", "train_labels", "train_y"),
        "validation": ("y_val", "val_labels", "val_y", "y_valid", "y_validation"),
        "test": ("y_test", "test_labels", "test_y"),
    },
)
"""Names of features and of labels, as the field's collections have them."""
_ONE_PART: Final = (("x", "y"), ("X", "y"), ("features", "labels"), ("images", "labels"))
_ONE_ARRAY: Final = b"\x93NUMPY"
_CHUNK: Final = 2**20


def recognise(entries: Sequence[Entry]) -> bool:
    """Whether an archive is among these files."""
    return any(_is_archive(entry) for entry in entries)


def read(files: Files, reading: Reading) -> RawParts:
    """The arrays of an archive: x_train, y_train and, if they are there, those of validation and
    test; or x, y; or features, labels.

    Raises:
        InvalidData: it is no archive, is damaged, or has other arrays.
    """
    entry = _archive(files)
    path = files.shown(entry)
    stored = FetchedFile(files.at(entry), reading.residence.scratch)
    fetching = reading.progress(entry.size, "fetching data")
    try:
        # An archive is read at many places; from a bucket one stream is several times as fast.
        with stored.opened(fetching.add) as file:
            # What numpy.save wrote, whatever it is called, is an array of its own.
            if file.read(len(_ONE_ARRAY)) == _ONE_ARRAY:
                raise InvalidData(f"{FIELD}: {path} holds one array; save two with numpy.savez")
            with zipfile.ZipFile(file) as archive:
                return _read_parts(archive, path, reading)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise InvalidData(
            f"{FIELD}: {path} is no sound npz archive ({error}); write it again with numpy.savez, "
            "numbers alone"
        ) from error


def _is_archive(entry: Entry) -> bool:
    return entry.name.endswith(".npz") and "/" not in entry.name


def _archive(files: Files) -> Entry:
    if files.is_file:
        return files.entries[0]
    found = [entry for entry in files.entries if _is_archive(entry)]
    if len(found) != 1:
        listed = ", ".join(entry.name for entry in found) or "none"
        raise InvalidData(
            f"{FIELD}: {files.location.uri} must have one .npz file ({listed}); name the file"
        )
    return found[0]


def _read_parts(archive: zipfile.ZipFile, path: str, reading: Reading) -> dict[PartName, Raw]:
    arrays = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    labelled = reading.data.task != "reconstruction"
    names, layouts, labels, size = _names(path, arrays, labelled), {}, {}, 0
    for part, (features, targets) in names.items():
        with archive.open(f"{features}.npy") as member:
            found = _Header.of(member)
        if targets is None:
            labels[part] = np.full(found.shape[:1], NORMAL, np.int64)
        else:
            with archive.open(f"{targets}.npy") as member:
                labels[part] = np.lib.format.read_array(member, allow_pickle=False)
        size += found.bytes
        layouts[part] = checks.layout_of(
            found.shape, found.dtype, labels[part], f"{path} ({features})"
        )
    residence = reading.residence.decided(sum(layout.bytes for layout in layouts.values()))
    progress = reading.progress(size)
    raw = {}
    for part, (features, _) in names.items():
        gathering = Gathering(reading, residence, layouts[part], progress)
        with archive.open(f"{features}.npy") as member:
            for piece in _pieces(member, gathering.at_once, residence.scratch):
                gathering.add(piece)
        raw[part] = gathering.finish(labels[part])
    reading.bad.check()
    return raw


@dataclass(frozen=True)
class _Header:
    """What an array's file begins with.

    Attributes:
        columns_first: it lies in Fortran's order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns_first: bool

    @classmethod
    def of(cls, member: IO[bytes]) -> _Header:
        """Read it.

        Raises:
            ValueError: it is none, or the array holds Python's objects.
        """
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, columns_first, dtype = np.lib.format.read_array_header_1_0(member)
        elif version == (2, 0):
            shape, columns_first, dtype = np.lib.format.read_array_header_2_0(member)
        else:
            raise ValueError("an array has named fields")
        if dtype.hasobject:
            raise ValueError("an array holds Python's objects")
        return cls(shape, dtype, columns_first and len(shape) > 1)

    @property
    def bytes(self) -> int:
        """Bytes of the array itself."""
        return math.prod(self.shape) * self.dtype.itemsize


def _pieces(member: IO[bytes], rows_at_once: int, scratch: Path) -> Iterator[NDArray[Any]]:
    """The rows of an array's file, some at a time.

    Raises:
        EOFError, ValueError: it is shorter or longer than its header says.
    """
    header = _Header.of(member)
    if header.columns_first:
        yield from _turned(member, header, rows_at_once, scratch)
        return
    rows, row = header.shape[0], header.shape[1:]
    row_bytes = math.prod(row) * header.dtype.itemsize
    for first in range(0, rows, rows_at_once):
        count = min(rows_at_once, rows - first)
        content = member.read(count * row_bytes)
        if len(content) < count * row_bytes:
            raise EOFError("an array is cut off")
        yield np.frombuffer(content, header.dtype).reshape(count, *row)
    # The archive's checksum is looked at when its end is read.
    if member.read(1):
        raise ValueError("an array is longer than its header says")


def _turned(
    member: IO[bytes], header: _Header, rows_at_once: int, scratch: Path
) -> Iterator[NDArray[Any]]:
    """The rows of an array that lies column by column: from a copy on the disk."""
    size = header.bytes
    copy = ScratchFile(scratch)
    with copy.file:
        while content := member.read(_CHUNK):
            copy.write(content)
            size -= len(content)
        if size:
            raise EOFError("an array is not as long as its header says")
        copy.flush()
        with mmap.mmap(copy.file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            array = np.frombuffer(mapped, header.dtype).reshape(header.shape, order="F")
            for first in range(0, len(array), rows_at_once):
                yield np.array(array[first : first + rows_at_once], order="C")
            # The map cannot be closed while an array looks into it.
            del array


def _names(path: str, arrays: list[str], labelled: bool) -> dict[PartName, tuple[str, str | None]]:
    """For each part that an archive has, the names of its features and labels.

    Args:
        labelled: whether labels have to be there.

    Raises:
        InvalidData: it has no training part.
    """
    found: dict[PartName, tuple[str, str | None]] = {}
    for part in _PARTS[0]:
        features, labels = (
            next((name for name in names[part] if name in arrays), None) for names in _PARTS
        )
        if features is not None and (labels is not None or not labelled):
            found[part] = (features, labels)
    if "train" in found:
        return found
    for pair in _ONE_PART:
        if set(pair) <= set(arrays):
            return {"train": pair}
    for features, _ in _ONE_PART:
        if features in arrays and not labelled:
            return {"train": (features, None)}
    raise InvalidData(
        f"{FIELD}: {path} has the arrays {', '.join(arrays) or '(none)'}; name them "
        "x_train, y_train (and x_val, y_val, x_test, y_test), or x, y, or features, labels"
    )
