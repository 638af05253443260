"""Pictures in a folder for each class, or in a table of paths and labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.labels import the_label
from trainyard_trainer.data.many_files import ManyFiles
from trainyard_trainer.data.readers.folders import Kind, look
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.source import FIELD, PART_NAMES, PartName, RawParts
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry, Location

KIND: Final = Kind(
    frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}),
    "pictures",
)
_PATH: Final = "path"
_LABEL: Final = "label"


@dataclass(frozen=True)
class _Listed:
    """Pictures of one part, and what each shows."""

    files: Sequence[Location]
    labels: NDArray[Any]


def recognise(entries: Sequence[Entry]) -> bool:
    """Whether most of these files are pictures in folders, or beside a table."""
    tables = [entry for entry in entries if _is_table(entry)]
    count = sum(1 for entry in entries if KIND.has(entry.name))
    return KIND.recognise(entries) or (bool(tables) and 2 * count > len(entries))


def read(files: Files, reading: Reading) -> RawParts:
    """The pictures of all folders, or of the tables if there are some with paths.

    Raises:
        InvalidData: there are none, or too many that cannot be decoded.
    """
    # Pillow is imported where there are pictures alone.
    from trainyard_trainer.data.decoding import Pictures, decoded

    listed = _by_tables(files, reading)
    if listed is None:
        found = look(files, KIND)
        reading.notes.extend(found.notes)
        listed = {
            part: _Listed(
                [files.at(example.entry) for example in examples],
                np.array([example.label for example in examples]),
            )
            for part, examples in found.parts.items()
        }
    locations: list[Location] = []
    parts: dict[PartName, Pictures] = {}
    for part, each in listed.items():
        numbers = range(len(locations), len(locations) + len(each.files))
        locations.extend(each.files)
        parts[part] = Pictures(numbers, lambda number: locations[number].shown, each.labels)
    album = ManyFiles(locations, reading.residence.scratch)
    return decoded(album, parts, files.location.uri, reading)


def _is_table(entry: Entry) -> bool:
    return "/" not in entry.name and entry.name.lower().endswith(".csv")


def _by_tables(files: Files, reading: Reading) -> dict[PartName, _Listed] | None:
    """What tables of paths list; None where there is none.

    Raises:
        InvalidData: a table cannot be read, or lists nothing.
    """
    if files.is_file:
        # What it lists lies beside it.
        uri = files.location.uri.rpartition("/")[0]
        beside = Files.of(Location.at(uri, reading.environ))
        return _listed(beside, {"train": files.location}, reading)
    tables = [entry for entry in files.entries if _is_table(entry)]
    parts: dict[PartName, Location] = {}
    for entry in tables:
        if not _lists_paths(files.at(entry)):
            continue
        stem = PurePosixPath(entry.name).stem.lower()
        part = PART_NAMES.get(stem, "train")
        if part in parts:
            raise InvalidData(
                f"{FIELD}: {files.shown(entry)} is a second table of paths for the {part} part; "
                "keep one, or call them train.csv, validation.csv and test.csv"
            )
        parts[part] = files.at(entry)
    if not parts:
        return None
    if "train" not in parts:
        raise InvalidData(f"{FIELD}: {files.location.uri} has no train.csv beside {sorted(parts)}")
    return _listed(files, parts, reading)


def _lists_paths(table: Location) -> bool:
    with table.guarded(), table.open() as file:
        first = file.read(4096).partition(b"\n")[0].decode(errors="replace")
    return _PATH in next(csv.reader([first.lstrip("\ufeff").strip()]), [])


def _listed(
    files: Files, tables: Mapping[PartName, Location], reading: Reading
) -> dict[PartName, _Listed]:
    there = {entry.name for entry in files.entries}
    found: dict[PartName, _Listed] = {}
    for part, table in tables.items():
        locations, labels = [], []
        for line, (path, label) in _rows(table, the_label(reading.data.source) or _LABEL):
            name = path.removeprefix("./")
            if name not in there:
                where = f"{table.shown}: line {line}"
                reading.bad.leave_out(where, f"names {path}, which is not there", "mend the path")
                continue
            locations.append(files.location.below(name))
            labels.append(label)
        if not locations:
            reading.bad.check()
            raise InvalidData(f"{FIELD}: {table.shown} lists no pictures")
        found[part] = _Listed(locations, _as_numbers(labels))
    return found


def _rows(table: Location, label: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """The lines of a table, with their numbers from 1: path and label of each."""
    try:
        text = table.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidData(f"{FIELD}: {table.shown} is no UTF-8 ({error}); convert it") from error
    lines = csv.DictReader(io.StringIO(text))
    if missing := [name for name in (_PATH, label) if name not in (lines.fieldnames or ())]:
        there = ", ".join(lines.fieldnames or ()) or "none"
        raise InvalidData(
            f"{FIELD}: {table.shown} lacks the column {missing[0]} (it has {there}); pictures "
            f"are listed by {_PATH}, relative to the table, and the column that "
            f"spec.data.source.label names ({label})"
        )
    try:
        for row in lines:
            if row[_PATH]:
                yield lines.line_num, (row[_PATH], row[label] or "")
    except csv.Error as error:
        raise InvalidData(
            f"{FIELD}: {table.shown}: line {lines.line_num} is no line of a table ({error})"
        ) from error


def _as_numbers(labels: list[str]) -> NDArray[Any]:
    """Labels as whole numbers or with fractions, where all of them are such."""
    for kind in (np.int64, np.float64):
        try:
            return np.array([kind(label) for label in labels])
        except (ValueError, OverflowError):
            continue
    return np.array(labels)
