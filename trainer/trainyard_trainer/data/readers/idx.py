"""The idx format of MNIST and its relatives: http://yann.lecun.com/exdb/mnist, as its authors
describe it: two zero bytes, a type (8: unsigned byte), the number of dimensions, each dimension
as a big-endian 32-bit number, then the bytes.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.source import FIELD, Raw, RawParts
from trainyard_trainer.errors import InvalidData

_NAME: Final = re.compile(
    r"^(?:.*[-_.])?(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)[-_.]idx[13][-_.]ubyte"
    r"(?:\.gz)?$"
)
_UNSIGNED_BYTE: Final = 8
_DIMENSIONS: Final = {"images": 3, "labels": 1}


def is_idx(path: Path) -> bool:
    """Whether a file is named like one of the four files of a data set."""
    return _NAME.match(path.name) is not None


def read_folder(folder: Path) -> RawParts:
    """The two or four idx files of a folder.

    Raises:
        InvalidData: a file is missing, there twice, or not what its name says.
    """
    train = _read_part(folder, ("train",))
    if train is None:
        raise InvalidData(
            f"{FIELD}: {folder} has no training part; it needs train-images-idx3-ubyte and "
            "train-labels-idx1-ubyte (.gz or not)"
        )
    return RawParts(train, _read_part(folder, ("t10k", "test")))


def _read_part(folder: Path, names: tuple[str, ...]) -> Raw | None:
    images, labels = _find(folder, names, "images"), _find(folder, names, "labels")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there = images or labels
        raise InvalidData(
            f"{FIELD}: {there} has no partner; images and labels come as two files of the same name"
        )
    return Raw(read(images, "images"), read(labels, "labels"), str(images))


def _find(folder: Path, names: tuple[str, ...], kind: str) -> Path | None:
    found = sorted(
        path
        for path in folder.iterdir()
        if (match := _NAME.match(path.name)) and match["part"] in names and match["kind"] == kind
    )
    if len(found) > 1:
        listed = ", ".join(path.name for path in found)
        raise InvalidData(f"{FIELD}: {folder} has {listed}; keep one of them")
    return found[0] if found else None


def read(path: Path, kind: str) -> NDArray[np.uint8]:
    """One idx file.

    Args:
        kind: "images" (three dimensions) or "labels" (one).

    Returns:
        Shape (rows, height, width) or (rows,).

    Raises:
        InvalidData: another magic number, or more or fewer bytes than the header says.
    """
    content = _content(path)
    dimensions = _DIMENSIONS[kind]
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    header = len(magic) + 4 * dimensions
    if content[:4] != magic:
        raise InvalidData(
            f"{FIELD}: {path} begins with {content[:4].hex() or 'nothing'}; "
            f"an idx file of {kind} begins with {magic.hex()}; fetch it again"
        )
    if len(content) < header:
        raise InvalidData(
            f"{FIELD}: {path} is cut off: {len(content)} bytes, no whole header; fetch it again"
        )
    shape = struct.unpack(f">{dimensions}I", content[len(magic) : header])
    expected = header + math.prod(shape)
    if len(content) != expected:
        what = "cut off" if len(content) < expected else "longer than its header says"
        raise InvalidData(
            f"{FIELD}: {path} is {what}: {expected} bytes expected, {len(content)} found; "
            "fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    """The file's bytes, unpacked."""
    packed = path.read_bytes()
    if path.suffix != ".gz":
        return packed
    try:
        return gzip.decompress(packed)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidData(
            f"{FIELD}: {path} cannot be unpacked after {len(packed)} bytes ({error}); "
            "fetch it again"
        ) from error
