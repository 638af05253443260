"""Which files make up a table, which part each belongs to, and what its folders' names say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from trainyard_api.listing import listed
from trainyard_trainer.data.reading import Files
from trainyard_trainer.data.source import FIELD, PART_NAMES, PARTS, PartName
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry, Location

TableFormat = Literal["csv", "parquet"]

SUFFIXES: Final[dict[TableFormat, re.Pattern[str]]] = {
    "csv": re.compile(r"\.(csv|tsv)(\.gz)?$", re.IGNORECASE),
    "parquet": re.compile(r"\.(parquet|pq|parq)$", re.IGNORECASE),
}
_NO_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class TableFile:
    """One file of a table.

    Attributes:
        name: for messages.
        partition: columns that the names of its folders give, as Hive writes them (key=value).
    """

    location: Location
    name: str
    size: int
    part: PartName
    partition: tuple[tuple[str, str | None], ...] = ()


def recognise(format: TableFormat, entries: Sequence[Entry]) -> bool:
    """Whether some files are of that format, by their names."""
    return any(_is_of(format, entry) for entry in entries)


def table_files(format: TableFormat, files: Files) -> tuple[tuple[TableFile, ...], list[str]]:
    """The files of a table: those that train first, each part sorted by name; and notes.

    Raises:
        InvalidData: there are none, or none that trains.
    """
    if files.is_file:
        (entry,) = files.entries
        return (TableFile(files.location, files.shown(entry), entry.size, "train"),), []
    entries = [entry for entry in files.entries if _is_of(format, entry)]
    if not entries:
        raise InvalidData(
            f"{FIELD}: {files.location.uri} has no files of the format {format}; put them there, "
            "or name another format"
        )
    parts = {entry.name: _part_of(entry.name) for entry in entries}
    if "train" not in parts.values():
        return tuple(_file(files, entry, "train") for entry in entries), []
    notes = []
    if others := [name for name, part in parts.items() if part is None]:
        notes.append(f"{listed(others, 3)}: left out, since other files are called train")
    return tuple(
        _file(files, entry, part)
        for part in PARTS
        for entry in entries
        if parts[entry.name] == part
    ), notes


def _is_of(format: TableFormat, entry: Entry) -> bool:
    # What begins with an underscore tells of the others: _SUCCESS, _metadata.
    name = entry.name.rpartition("/")[2]
    return not name.startswith("_") and SUFFIXES[format].search(name) is not None


def _part_of(name: str) -> PartName | None:
    """The part that a path speaks of, by its first folder or file that names one."""
    for step in name.split("/"):
        plain = re.sub(r"(\.[A-Za-z]+)+$", "", step).lower()
        # Of Hive's key=value, the value tells.
        words = [word.rpartition("=")[2] for word in re.split(r"[-_.]", plain)]
        if told := [PART_NAMES[word] for word in words if word in PART_NAMES]:
            return told[-1]
    return None


def _file(files: Files, entry: Entry, part: PartName) -> TableFile:
    return TableFile(
        files.at(entry), files.shown(entry), entry.size, part, tuple(_partition(entry.name))
    )


def _partition(name: str) -> Iterator[tuple[str, str | None]]:
    for step in name.split("/")[:-1]:
        key, equals, value = step.partition("=")
        if key and equals:
            yield unquote(key), None if value == _NO_PARTITION else unquote(value)
