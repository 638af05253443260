"""A table that may be larger than the memory: its rows, some at a time, as often as is needed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainyard_trainer.data.bad_rows import BadRows
from trainyard_trainer.data.fetched import FetchedFile
from trainyard_trainer.data.readers import csv, parquet
from trainyard_trainer.data.reading import Progress
from trainyard_trainer.data.source import FIELD, PartName
from trainyard_trainer.data.tables import values
from trainyard_trainer.data.tables.files import TableFile, TableFormat
from trainyard_trainer.errors import InvalidData

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Piece:
    """Some rows that follow each other.

    Attributes:
        first: number of the first of them, over all files, from 0.
        columns: plain cells (see `values.plain`) by the columns' names.
    """

    first: int
    rows: int
    part: PartName
    columns: Mapping[str, Any]


@dataclass
class _Extent:
    """Where the rows of a file stand among all.

    Attributes:
        ragged: rows that were left out, by the number that people give them.
    """

    file: TableFile
    first: int
    rows: int = 0
    ragged: list[int] = field(default_factory=list)


class Table:
    """The rows of several files with the same columns."""

    def __init__(
        self,
        format: TableFormat,
        files: Sequence[TableFile],
        bad: BadRows,
        scratch: Path,
        labels: Sequence[str] = (),
    ) -> None:
        """Args:
        files: in the order of their rows.
        bad: where ragged rows are told of, in the first scan.
        scratch: folder for files that have to be fetched.
        labels: columns whose cells may be lists.

        Raises:
            InvalidData: a file is none of its format, or its columns are not those of the first.
        """
        self._format = format
        self._files = tuple(files)
        self._bad = bad
        self._labels = frozenset(labels)
        self._fetched = {file.name: FetchedFile(file.location, scratch) for file in files}
        self._extents: list[_Extent] = []
        self._dialects: dict[str, csv.Dialect] = {}
        self._renamed: dict[str, dict[str, str]] = {}
        self._absent: dict[str, tuple[tuple[str, ...], str]] = {}
        self.notes: list[str] = []
        self.columns: tuple[str, ...] = ()
        self.loose: frozenset[str] = frozenset()
        """Columns whose texts may be numbers: those of csv, and of folders' names."""
        for file in files:
            self._look_at(file)

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self._files)

    @property
    def remote_bytes(self) -> int:
        """Of the files that are fetched in the first scan."""
        return sum(file.size for file in self._files if self._fetched[file.name].is_remote)

    def scan(self, columns: Sequence[str], progress: Progress) -> Iterator[Piece]:
        """All rows in order, with these columns."""
        first, scanning = 0, not self._extents
        extents: list[_Extent] = []
        following = iter([*self._files[1:], None])
        for file in self._files:
            self._fetched[file.name].fetch(progress.add)
            if (after := next(following)) is not None:
                # Its way here takes as long as this one's decoding, and other means.
                self._fetched[after.name].fetch(progress.add)
            extent = _Extent(file, first)
            extents.append(extent)
            told = 0.0
            for batch, share in self._batches(file, columns, extent, scanning, progress):
                yield Piece(first, batch.num_rows, file.part, self._named(file, batch, columns))
                first += batch.num_rows
                extent.rows += batch.num_rows
                progress.add(int(file.size * share) - int(file.size * told))
                told = share
        self._extents = extents

    def rows_of(self, part: PartName) -> int:
        """How many rows a part has; known after the first scan."""
        return sum(extent.rows for extent in self._extents if extent.file.part == part)

    def place(self, row: int) -> str:
        """Where a row is, as people see it; known after the first scan."""
        extent = next(each for each in reversed(self._extents) if each.first <= row)
        if self._format == "parquet":
            return f"{extent.file.name}, row {row - extent.first + parquet.FIRST_ROW} (from 1)"
        number = row - extent.first + csv.FIRST_ROW
        for left_out in sorted(extent.ragged):
            number += left_out <= number
        return f"{extent.file.name}, row {number} (the header is row 1)"

    def _look_at(self, file: TableFile) -> None:
        stored, usable = self._header(file)
        if twice := sorted({name for name in usable if usable.count(name) > 1}):
            raise InvalidData(
                f"{FIELD}: {file.name} has two columns called {twice[0]}; name each differently"
            )
        partition = [key for key, _ in file.partition if key not in usable]
        columns = (*usable, *partition)
        if not self.columns:
            self.columns = columns
            self.loose = frozenset(columns if self._format == "csv" else partition)
        if absent := [name for name in self.columns if name not in columns]:
            # What is not learned from may be absent: a test part without a column of ids.
            near = difflib.get_close_matches(absent[0], columns, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self._absent[file.name] = (tuple(absent), hint)
        self._renamed[file.name] = dict(zip(usable, stored, strict=True))

    def _header(self, file: TableFile) -> tuple[list[str], list[str]]:
        """Names of usable columns as they are stored, and as people write them."""
        if self._format == "csv":
            dialect = csv.dialect_of(file.location, file.name)
            self._dialects[file.name] = dialect
            stored = [name for name in dialect.header if name.strip()]
            if len(stored) < len(dialect.header):
                self._note(
                    "columns without a name are left out (an index that was written, perhaps)"
                )
            if not stored:
                raise InvalidData(
                    f"{FIELD}: {file.name}: its first row names no column; write a header there"
                )
            return stored, [name.strip() for name in stored]
        schema = parquet.schema_of(file.location, file.name)
        stored = [each.name for each in schema if self._is_usable(each.name, each.type)]
        if others := [each.name for each in schema if each.name not in stored]:
            self._note(f"{', '.join(others)}: left out, since their cells are no single values")
        return stored, list(stored)

    def _is_usable(self, name: str, kind: pa.DataType) -> bool:
        return _is_usable(kind) or (name in self._labels and values.is_list(kind))

    def check(self, columns: Sequence[str]) -> None:
        """Make sure that every file has these columns.

        Raises:
            InvalidData: one has not.
        """
        for name, (absent, hint) in self._absent.items():
            if lacking := [each for each in columns if each in absent]:
                raise InvalidData(
                    f"{FIELD}: {name} has no column {lacking[0]}, which {self._files[0].name} has"
                    f"{hint}; give all files the same columns"
                )

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _batches(
        self,
        file: TableFile,
        columns: Sequence[str],
        extent: _Extent,
        scanning: bool,
        progress: Progress,
    ) -> Iterator[tuple[pa.RecordBatch, float]]:
        renamed = self._renamed[file.name]
        wanted = [renamed[name] for name in columns if name in renamed]
        stored = self._fetched[file.name]
        if self._format == "parquet":
            yield from parquet.batches(stored, file.name, wanted, progress.add)
            return

        def ragged(number: int, cells: int, wanted: int) -> None:
            extent.ragged.append(number)
            if scanning:
                self._bad.leave_out(
                    f"{file.name}, row {number} (the header is row 1)",
                    f"has {cells} cells, and the header {wanted}",
                    "quote cells that have the delimiter in them",
                )

        dialect = self._dialects[file.name]
        yield from csv.batches(stored, file.name, dialect, wanted, ragged, progress.add)

    def _named(
        self, file: TableFile, batch: pa.RecordBatch, columns: Sequence[str]
    ) -> dict[str, Any]:
        import pyarrow as pa

        renamed, partition = self._renamed[file.name], dict(file.partition)
        return {
            name: values.plain(
                batch.column(renamed[name])
                if name in renamed
                else pa.repeat(pa.scalar(partition[name], pa.string()), batch.num_rows)
            )
            for name in columns
        }


def _is_usable(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        values.is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_date(kind)
        or pa.types.is_duration(kind)
    )
