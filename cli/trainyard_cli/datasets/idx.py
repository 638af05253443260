"""idx files: two zero bytes, a type, the number of dimensions, the sizes, then the bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainyard_cli.datasets.catalogue import TEST_IMAGES, TEST_LABELS
from trainyard_cli.errors import WrongInput

_UNSIGNED_BYTE: Final = 8


@dataclass(frozen=True)
class TestPart:
    """The first rows of a test part."""

    images: list[list[list[int]]]
    labels: list[int]
    labels_digest: str
    """sha256 of the whole file of labels, uncompressed."""


def header(sizes: Sequence[int]) -> bytes:
    """The header of an idx file of unsigned bytes."""
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, _UNSIGNED_BYTE, len(sizes), *sizes)


def read_test_part(folder: Path, count: int) -> TestPart:
    """The first `count` test images of a folder of idx files, and their labels.

    Raises:
        WrongInput: the folder has no such files, or they are damaged.
    """
    images, labels = _content(folder, TEST_IMAGES), _content(folder, TEST_LABELS)
    rows, height, width = _sizes(images, 3, folder / TEST_IMAGES)
    (labelled,) = _sizes(labels, 1, folder / TEST_LABELS)
    taken = min(count, rows, labelled)
    if not taken:
        raise WrongInput(f"{folder}: its test part has no rows")
    start, size = len(header((0, 0, 0))), height * width
    return TestPart(
        images=[_image(images, start + row * size, height, width) for row in range(taken)],
        labels=list(labels[len(header((0,))) :][:taken]),
        labels_digest=hashlib.sha256(labels).hexdigest(),
    )


def _image(content: bytes, start: int, height: int, width: int) -> list[list[int]]:
    return [list(content[start + y * width :][:width]) for y in range(height)]


def _content(folder: Path, name: str) -> bytes:
    try:
        if (plain := folder / name).exists():
            return plain.read_bytes()
        return gzip.decompress((folder / f"{name}.gz").read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WrongInput(
            f"{folder} has no {name} (.gz or not); 'trainyard data get' fetches such a folder"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise WrongInput(f"{folder}: {name} cannot be read: {error}") from error


def _sizes(content: bytes, dimensions: int, path: Path) -> tuple[int, ...]:
    wanted = header((0,) * dimensions)
    if content[:4] != wanted[:4] or len(content) < len(wanted):
        raise WrongInput(f"{path} is no idx file of {dimensions} dimensions")
    sizes = struct.unpack(f">{dimensions}I", content[4 : len(wanted)])
    if len(content) < len(wanted) + math.prod(sizes):
        raise WrongInput(f"{path} is cut off; fetch it again")
    return sizes
