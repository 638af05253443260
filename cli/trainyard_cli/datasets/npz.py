"""From the .npz of MNIST to idx: the same bytes under another header."""

from __future__ import annotations

import ast
import math
import struct
import zipfile
from pathlib import Path
from typing import Final

from trainyard_cli.datasets.catalogue import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from trainyard_cli.datasets.idx import header
from trainyard_cli.datasets.source import SourceFailed

_ARRAYS: Final = {
    "x_train": TRAIN_IMAGES,
    "y_train": TRAIN_LABELS,
    "x_test": TEST_IMAGES,
    "y_test": TEST_LABELS,
}
_MAGIC: Final = b"\x93NUMPY"


def convert(archive: Path, folder: Path) -> None:
    """Write the arrays of an .npz as idx files.

    Raises:
        SourceFailed: it has not the arrays that it should have.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            for array, name in _ARRAYS.items():
                (folder / name).write_bytes(npy_to_idx(members.read(f"{array}.npy")))
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceFailed(f"{archive.name} is not the archive it should be: {error}") from error


def npy_to_idx(content: bytes) -> bytes:
    """An idx file of unsigned bytes, from a .npy file of the same.

    The header of .npy: magic, version (two bytes), its length (little-endian; 16 bits in version
    1, 32 bits later), and a Python literal with descr, fortran_order and shape.

    Raises:
        SourceFailed: not a .npy file, or of another type.
    """
    if content[:6] != _MAGIC or len(content) < 12:
        raise SourceFailed("a member of the archive is no .npy file")
    form = "<H" if content[6] == 1 else "<I"
    start = 8 + struct.calcsize(form)
    (length,) = struct.unpack_from(form, content, 8)
    described = ast.literal_eval(content[start : start + length].decode("latin-1").strip())
    if described["descr"] != "|u1" or described["fortran_order"]:
        raise SourceFailed(f"an array is of type {described['descr']}, not of unsigned bytes")
    data = content[start + length :]
    if len(data) != math.prod(described["shape"]):
        raise SourceFailed("an array is cut off")
    return header(described["shape"]) + data
