"""The idx format of MNIST and its relatives: http://yann.lecun.com/exdb/mnist, as its authors
describe it: two zero bytes, a type (8: unsigned byte), the number of dimensions, each dimension
as a big-endian 32-bit number, then the bytes.
"""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import checks
from trainyard_trainer.data.collecting import Gathering
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.source import FIELD, PartName, Raw, RawParts
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry, Location

_NAME: Final = re.compile(
    r"^(?:.*[-_.])?(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)[-_.]idx[13][-_.]ubyte"
    r"(?:\.gz)?$"
)
_PARTS: Final[Mapping[PartName, tuple[str, ...]]] = {"train": ("train",), "test": ("t10k", "test")}
_UNSIGNED_BYTE: Final = 8
_DIMENSIONS: Final = {"images": 3, "labels": 1}
_CHUNK: Final = 2**20


@dataclass(frozen=True)
class _Pair:
    images: Location
    labels: Location


def recognise(entries: Sequence[Entry]) -> bool:
    """Whether one of the four files of a data set is among these."""
    return any(_NAME.match(entry.name) for entry in entries)


def read(files: Files, reading: Reading) -> RawParts:
    """The two or four idx files of a folder.

    Raises:
        InvalidData: a file is missing, there twice, or not what its name says.
    """
    if files.is_file:
        raise InvalidData(
            f"{FIELD}: {files.location.uri} is a file; name the folder of the idx files"
        )
    pairs = {
        part: pair
        for part, names in _PARTS.items()
        if (pair := _pair(files.location, names)) is not None
    }
    if "train" not in pairs:
        raise InvalidData(
            f"{FIELD}: {files.location.uri} has no training part; it needs train-images-idx3-ubyte "
            "and train-labels-idx1-ubyte (.gz or not)"
        )
    return _read_parts(pairs, reading)


def _pair(folder: Location, names: tuple[str, ...]) -> _Pair | None:
    """The two files of a part, or neither."""
    images, labels = _find(folder, names, "images"), _find(folder, names, "labels")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there = (images or labels or folder).shown
        raise InvalidData(
            f"{FIELD}: {there} has no partner; images and labels come as two files of the same name"
        )
    return _Pair(images, labels)


def _find(folder: Location, names: tuple[str, ...], kind: str) -> Location | None:
    # By name alone: a link to nothing, or a folder in a file's place, is told when it is opened.
    there = (
        [entry.name for entry in folder.files()]
        if folder.local is None
        else sorted(os.listdir(folder.local))
    )
    found = [
        name
        for name in there
        if (match := _NAME.match(name)) and match["part"] in names and match["kind"] == kind
    ]
    if len(found) > 1:
        raise InvalidData(f"{FIELD}: {folder.uri} has {', '.join(found)}; keep one of them")
    return folder.below(found[0]) if found else None


def _read_parts(pairs: Mapping[PartName, _Pair], reading: Reading) -> dict[PartName, Raw]:
    labels, layouts = {}, {}
    for part, pair in pairs.items():
        with _opened(pair.labels, "labels") as numbers:
            labels[part] = np.concatenate([*numbers.pieces(_CHUNK), np.empty(0, np.uint8)])
        with _opened(pair.images, "images") as images:
            layouts[part] = checks.layout_of(
                images.shape, np.dtype(np.uint8), labels[part], pair.images.shown
            )
    total = sum(layout.bytes for layout in layouts.values())
    residence, progress = reading.residence.decided(total), reading.progress(total)
    raw = {}
    for part, pair in pairs.items():
        gathering = Gathering(reading, residence, layouts[part], progress)
        with _opened(pair.images, "images") as images:
            for piece in images.pieces(gathering.at_once):
                gathering.add(piece)
        raw[part] = gathering.finish(labels[part])
    return raw


class _Opened:
    """One idx file, whose header was read."""

    def __init__(self, location: Location, file: IO[bytes], kind: str) -> None:
        self._file = file
        self._name = location.shown
        dimensions = _DIMENSIONS[kind]
        magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
        self._header = len(magic) + 4 * dimensions
        content = file.read(self._header)
        if content[: len(magic)] != magic:
            raise InvalidData(
                f"{FIELD}: {self._name} begins with {content[:4].hex() or 'nothing'}; "
                f"an idx file of {kind} begins with {magic.hex()}; fetch it again"
            )
        if len(content) < self._header:
            raise InvalidData(
                f"{FIELD}: {self._name} is cut off: {len(content)} bytes, no whole header; "
                "fetch it again"
            )
        self.shape: tuple[int, ...] = struct.unpack(f">{dimensions}I", content[len(magic) :])

    def pieces(self, rows_at_once: int) -> Iterator[NDArray[np.uint8]]:
        """All rows, some at a time.

        Raises:
            InvalidData: there are more or fewer bytes than the header says.
        """
        rows, row = self.shape[0], self.shape[1:]
        expected, read = self._header + math.prod(self.shape), self._header
        for first in range(0, rows, rows_at_once):
            count = min(rows_at_once, rows - first)
            content = self._file.read(count * math.prod(row))
            read += len(content)
            if len(content) < count * math.prod(row):
                raise InvalidData(
                    f"{FIELD}: {self._name} is cut off: {expected} bytes expected, {read} found; "
                    "fetch it again"
                )
            yield np.frombuffer(content, np.uint8).reshape(count, *row)
        if self._file.read(1):
            raise InvalidData(
                f"{FIELD}: {self._name} is longer than its header says: {expected} bytes expected; "
                "fetch it again"
            )


@contextmanager
def _opened(location: Location, kind: str) -> Iterator[_Opened]:
    """One idx file, unpacked as it is read.

    Args:
        kind: "images" (three dimensions) or "labels" (one).

    Raises:
        InvalidData: another magic number, or a damaged file.
    """
    with location.guarded(), location.open() as packed:
        if not location.name.endswith(".gz"):
            yield _Opened(location, packed, kind)
            return
        try:
            # Its reader asks for what it lacks until it has it; the plain one may give less.
            with gzip.GzipFile(fileobj=packed) as file:
                yield _Opened(location, file, kind)  # type: ignore[arg-type]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidData(
                f"{FIELD}: {location.shown} cannot be unpacked ({error}); fetch it again"
            ) from error
