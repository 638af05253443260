"""TFRecord files: the frames of their records."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from trainyard_trainer.data.fetched import FetchedFile
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Location

_GZIP: Final = b"\x1f\x8b"
_HEAD: Final = struct.Struct("<QI")
_TAIL: Final = struct.Struct("<I")
_MASK: Final = 0xA282EAD8


class RecordFile:
    """One file, read from its beginning as often as wanted; one of a bucket is fetched once.

    Attributes:
        name: for messages.
        count: of its records; known when all were read.
    """

    def __init__(self, location: Location, name: str, scratch: Path) -> None:
        """Args:
        scratch: folder for what is fetched.
        """
        self.name = name
        self.count = 0
        self._file = FetchedFile(location, scratch)

    def records(self) -> Iterator[bytes | None]:
        """The content of each record; None where its checksum is wrong.

        Raises:
            InvalidData: the file is cut off or no TFRecord file: what follows cannot be found.
        """
        count = 0
        with self._file.opened() as stored, self._unpacked(stored) as file:
            while head := file.read(_HEAD.size):
                length, check = _HEAD.unpack(self._whole(head, _HEAD.size, count))
                if _masked(head[:8]) != check:
                    raise InvalidData(
                        f"{FIELD}: {self.name}: record {count} begins with no length and its "
                        "checksum; it is no TFRecord file, or damaged: write it again"
                    )
                content = self._whole(file.read(length), length, count)
                tail = self._whole(file.read(_TAIL.size), _TAIL.size, count)
                yield content if _masked(content) == _TAIL.unpack(tail)[0] else None
                count += 1
        self.count = count

    def _whole(self, content: bytes, size: int, count: int) -> bytes:
        if len(content) < size:
            raise InvalidData(f"{FIELD}: {self.name} is cut off in record {count}; write it again")
        return content

    @contextmanager
    def _unpacked(self, file: IO[bytes]) -> Iterator[IO[bytes]]:
        first = file.read(len(_GZIP))
        file.seek(0)
        if first != _GZIP:
            yield file
            return
        try:
            packed: Any = gzip.GzipFile(fileobj=file)
            with packed:
                yield packed
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidData(
                f"{FIELD}: {self.name} cannot be unpacked ({error}); fetch it again"
            ) from error


def _masked(content: bytes) -> int:
    """The checksum as the format has it: CRC-32C, turned, so that a checksum of checksums differs.

    https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/hash/crc32c.h
    """
    import google_crc32c

    check = google_crc32c.value(content)
    return (((check >> 15) | (check << 17)) + _MASK) & 0xFFFFFFFF
