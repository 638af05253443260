"""A snapshot as bytes of which any that is changed is found.

    trainyard checkpoint 1\\n     what follows is of this format
    32 bytes                     sha256 of all that follows
    8 bytes                      length of the header, little-endian
    header                       JSON: steps, early stopping, each array's name, type and shape
    arrays                       their bytes, one after another

NumPy's archives are no such thing: zip's checksums leave headers and names unchecked.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.stopping import Patience

_MAGIC: Final = b"trainyard checkpoint 1\n"
_DIGEST: Final = hashlib.sha256().digest_size
_LENGTH: Final = 8
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError)


class Damaged(Exception):
    """These bytes are no whole snapshot."""


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as bytes; `decode` gives the same one back."""
    return b"".join(pieces(snapshot))


def pieces(snapshot: Snapshot) -> list[bytes | memoryview]:
    """What `encode` puts together, for writing it without another copy of the arrays."""
    arrays = [np.asarray(v, order="C") for v in (*snapshot.variables, *snapshot.best)]
    header = json.dumps(_header(snapshot)).encode()
    # As bytes: types such as bfloat16 are none that a buffer can be had of.
    contents = [array.reshape(-1).view(np.uint8).data for array in arrays if array.size]
    digest = hashlib.sha256()
    size = len(header).to_bytes(_LENGTH, "little")
    body: list[bytes | memoryview] = [size, header, *contents]
    for piece in body:
        digest.update(piece)
    return [_MAGIC, digest.digest(), *body]


def decode(content: bytes) -> Snapshot:
    """The snapshot in what `encode` made.

    Raises:
        Damaged: a byte of it is not what was written.
    """
    digest, body = content[len(_MAGIC) :][:_DIGEST], memoryview(content)[len(_MAGIC) + _DIGEST :]
    if not content.startswith(_MAGIC):
        raise Damaged("it does not begin as a checkpoint does")
    if hashlib.sha256(body).digest() != digest:
        raise Damaged("its content is not what was written: the sha256 differs")
    length = int.from_bytes(body[:_LENGTH], "little")
    header = json.loads(bytes(body[_LENGTH:][:length]))
    arrays = list(_arrays(header["arrays"], body[_LENGTH + length :]))
    names = [str(array["name"]) for array in header["arrays"][: header["variables"]]]
    return _snapshot(header, arrays, names)


def decode_archive(content: bytes) -> Snapshot:
    """The snapshot in an archive of NumPy's, as earlier versions wrote: without names.

    What zip's checksums do not cover may be damaged in them without being found.

    Raises:
        Damaged: the archive is not whole.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            names = [f"variable-{i}" for i in range(int(about["variables"]))]
            names += [f"best-{i}" for i in range(int(about["weights"]))]
            return _snapshot(about, [archive[name] for name in names], ())
    except _UNREADABLE as error:
        raise Damaged(str(error)) from error


def _header(snapshot: Snapshot) -> dict[str, Any]:
    names = [*snapshot.names, *snapshot.names[: len(snapshot.best)]]
    arrays = [*snapshot.variables, *snapshot.best]
    patience = snapshot.patience
    return {
        "step": snapshot.step,
        "closed": snapshot.closed,
        "best": patience.best,
        "waited": patience.waited,
        "stopped": patience.stopped,
        "variables": len(snapshot.variables),
        "arrays": [
            {"name": name, "type": array.dtype.name, "shape": array.shape}
            for name, array in zip(names, arrays, strict=True)
        ],
    }


def _snapshot(
    header: dict[str, Any], arrays: Sequence[NDArray[Any]], names: Sequence[str]
) -> Snapshot:
    count = int(header["variables"])
    best = header["best"]
    return Snapshot(
        step=int(header["step"]),
        closed=int(header["closed"]),
        patience=Patience(best, int(header["waited"]), bool(header["stopped"])),
        variables=arrays[:count],
        best=arrays[count:],
        names=names,
    )


def _arrays(described: Sequence[dict[str, Any]], content: memoryview) -> Iterator[NDArray[Any]]:
    place = 0
    for each in described:
        kind, shape = np.dtype(each["type"]), tuple(each["shape"])
        end = place + kind.itemsize * math.prod(shape)
        yield np.frombuffer(content[place:end], np.uint8).view(kind).reshape(shape)
        place = end
