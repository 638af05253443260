"""TFRecord files of tf.train.Example: an encoded picture each, or numbers.

The frame of a record is read here: length, checksum of the length, content, checksum of the
content (https://www.tensorflow.org/tutorials/load_data/tfrecord). TensorFlow itself only parses
the content, which runs no operation: its devices must not be touched before the gang assembles.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import checks
from trainyard_trainer.data.collecting import Gathering
from trainyard_trainer.data.examples import Columns, columns_of, parsed, unlike
from trainyard_trainer.data.parallel import in_order
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.records import RecordFile
from trainyard_trainer.data.source import FIELD, PART_NAMES, PARTS, PartName, RawParts
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.processors import usable_cpus
from trainyard_trainer.store import Entry

R = TypeVar("R")

_NAME: Final = re.compile(r"\.tfrecords?(-\d+-of-\d+)?(\.gz)?$")
_CURE: Final = "write the file again"
_EXACT: Final = 2**24
"""Up to which float32 holds every whole number."""


def recognise(entries: Sequence[Entry]) -> bool:
    """Whether there are such files, by name."""
    return any(_NAME.search(entry.name) for entry in entries)


def read(files: Files, reading: Reading) -> RawParts:
    """The records of all files.

    Raises:
        InvalidData: a file is damaged, or its records are not alike.
    """
    parts = _parts(files, reading)
    columns = columns_of(
        (content for _, content in _all(parts["train"])), files.location.uri, reading
    )
    labels, good = _labels(parts, columns, reading)
    if columns.picture is None:
        return _numbers(parts, columns, labels, good, reading)
    # Pillow is imported where there are pictures alone.
    from trainyard_trainer.data.decoding import Pictures, decoded

    album = _Album(parts, columns.picture)
    first, pictures = 0, {}
    for part, kept in good.items():
        numbers = (first + np.flatnonzero(kept)).tolist()
        pictures[part] = Pictures(numbers, album.name_of, labels[part])
        first += len(kept)
    return decoded(album, pictures, files.location.uri, reading)


def _parts(files: Files, reading: Reading) -> dict[PartName, list[RecordFile]]:
    """The files of each part, told by their folders or names."""
    found: dict[PartName, list[RecordFile]] = {}
    entries = [entry for entry in files.entries if files.is_file or _NAME.search(entry.name)]
    for entry in entries:
        words = re.split(r"[^a-z]+", entry.name.lower())
        told = (PART_NAMES[word] for word in words if word in PART_NAMES)
        part: PartName = next(told, "train")
        opened = RecordFile(files.at(entry), files.shown(entry), reading.residence.scratch)
        found.setdefault(part, []).append(opened)
    if "train" not in found:
        raise InvalidData(
            f"{FIELD}: {files.location.uri} has no training part among its .tfrecord files; call "
            "one train"
        )
    return {part: found[part] for part in PARTS if part in found}


def _all(files: Sequence[RecordFile]) -> Iterator[tuple[str, bytes | None]]:
    """All records with their names; None for one whose checksum is wrong."""
    for file in files:
        for number, content in enumerate(file.records()):
            yield f"{file.name}: record {number}", content


def _labels(
    parts: Mapping[PartName, Sequence[RecordFile]], columns: Columns, reading: Reading
) -> tuple[dict[PartName, NDArray[Any]], dict[PartName, NDArray[np.bool_]]]:
    """The labels of each part's sound records, and which records are sound."""
    labels, sound = {}, {}
    for part, files in parts.items():
        values: list[Any] = []
        good: list[bool] = []
        for name, content in _all(files):
            example = None if content is None else parsed(content)
            wrong = (
                "is damaged (checksum)"
                if content is None
                else "is no tf.train.Example"
                if example is None
                else unlike(example, columns)
            )
            good.append(wrong is None)
            if wrong is not None or example is None:
                reading.bad.leave_out(name, wrong or "", _CURE)
                continue
            found = getattr(example[columns.label], f"{columns.label_kind[0]}_list").value
            values.append(found[0] if columns.label_kind[1] == 1 else list(found))
        reading.bad.check()
        if not values:
            raise InvalidData(f"{FIELD}: {files[0].name} has no records")
        labels[part] = np.array(values, object if columns.label_kind[0] == "bytes" else None)
        sound[part] = np.array(good, np.bool_)
    return labels, sound


def _numbers(
    parts: Mapping[PartName, Sequence[RecordFile]],
    columns: Columns,
    labels: Mapping[PartName, NDArray[Any]],
    good: Mapping[PartName, NDArray[np.bool_]],
    reading: Reading,
) -> RawParts:
    """Rows of numbers."""
    dtype: np.dtype[Any] = np.dtype(np.float32)
    if any(kind == "int64" for kind, _ in columns.features.values()) and any(
        np.abs(piece).max() > _EXACT
        for part, files in parts.items()
        for piece in _pieces(files, columns, good[part], np.dtype(np.float64), 4096)
    ):
        dtype = np.dtype(np.float64)
    layouts = {
        part: checks.layout_of((len(each), columns.width), dtype, each, parts[part][0].name)
        for part, each in labels.items()
    }
    residence = reading.residence.decided(sum(each.bytes for each in layouts.values()))
    progress = reading.progress(sum(each.bytes for each in layouts.values()))
    raw = {}
    for part, files in parts.items():
        gathering = Gathering(reading, residence, layouts[part], progress)
        for piece in _pieces(files, columns, good[part], dtype, gathering.at_once):
            gathering.add(piece)
        raw[part] = gathering.finish(labels[part])
    reading.bad.check()
    return raw


def _pieces(
    files: Sequence[RecordFile],
    columns: Columns,
    good: NDArray[np.bool_],
    dtype: np.dtype[Any],
    at_once: int,
) -> Iterator[NDArray[Any]]:
    """The rows of a part, some at a time."""
    rows = (
        [
            number
            for name, (kind, _) in columns.features.items()
            for number in getattr(example[name], f"{kind}_list").value
        ]
        for (_, content), is_good in zip(_all(files), good.tolist(), strict=True)
        if is_good and content is not None and (example := parsed(content)) is not None
    )
    while some := list(islice(rows, at_once)):
        yield np.array(some, dtype)


class _Album:
    """The pictures in records, numbered over all files."""

    def __init__(self, parts: Mapping[PartName, Sequence[RecordFile]], feature: str) -> None:
        self._files = [file for files in parts.values() for file in files]
        self._feature = feature

    def name_of(self, number: int) -> str:
        """A record's file and number in it, for messages."""
        for file in self._files:
            if number < file.count:
                return f"{file.name}: record {number}"
            number -= file.count
        raise IndexError(number)

    def read(
        self, numbers: Sequence[int], work: Callable[[IO[bytes]], R]
    ) -> Iterator[tuple[int, R]]:
        """What `work` makes of each of these pictures, in their order, with its number."""

        def one(numbered: tuple[int, bytes]) -> tuple[int, R]:
            number, content = numbered
            example = parsed(content)
            assert example is not None
            return number, work(io.BytesIO(example[self._feature].bytes_list.value[0]))

        return in_order(one, self._contents(numbers), usable_cpus())

    def _contents(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        wanted, first = iter(numbers), 0
        following = next(wanted, None)
        for file in self._files:
            if following is None:
                return
            if following >= first + file.count:
                first += file.count
                continue
            for number, content in enumerate(file.records(), first):
                if number == following and content is not None:
                    yield number, content
                    following = next(wanted, None)
            first += file.count
