"""Comma-separated values, with commas, semicolons, tabs or bars, plain or packed by gzip.

Every cell is read as a text: what a column holds is told from all of its values, and a cell that
does not fit is named with its row. Rows are counted as people see them in an editor of tables: the
header is row 1, and empty lines do not count.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from trainyard_api.cells import NUMBER
from trainyard_trainer.data.fetched import FetchedFile
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData, TrainerError
from trainyard_trainer.store import Location

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_ROW: Final = 2
"""The number of the first row after the header."""

_HEAD_BYTES: Final = 256 * 1024
_BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Read at once; a row may not be longer."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_SNIFFED_ROWS: Final = 50
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_INVALID_TEXT: Final = re.compile(r"Row #(\d+).*invalid UTF8", re.DOTALL)
_NUMBER: Final = re.compile(NUMBER)
_CONVERT: Final = "convert it, for example with iconv -f latin1 -t utf-8"

Ragged = Callable[[int, int, int], None]
"""Told of a row that has not the header's columns: its number, how many cells it has, and how many
it should have."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Attributes:
        header: its names, as they stand there.
    """

    delimiter: str
    header: tuple[str, ...]


def dialect_of(location: Location, name: str) -> Dialect:
    """What the head of a file tells.

    Args:
        name: of the file, for messages.

    Raises:
        InvalidData: it is empty, no UTF-8, or has no header.
        StoreUnavailable: the location is away.
    """
    with location.guarded(), location.open() as file, _unpacking(name):
        head = _unpacked(file, name).read(_HEAD_BYTES)
    if head.startswith(_UTF16):
        raise InvalidData(f"{FIELD}: {name} is UTF-16; {_CONVERT.replace('latin1', 'utf-16')}")
    text = head.decode("utf-8-sig", errors="replace")
    lines = text.splitlines(keepends=True)
    if len(head) == _HEAD_BYTES and len(lines) > 1:
        # Cut off in the midst of a row.
        lines = lines[:-1]
    rows = {delimiter: _rows(lines, delimiter) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda each: _agreement(rows[each]))
    found = rows[delimiter]
    if not found:
        raise InvalidData(f"{FIELD}: {name} is empty; its first row has to name the columns")
    header = tuple(found[0])
    if "�" in "".join(header):
        raise InvalidData(f"{FIELD}: {name}: the header is no UTF-8; {_CONVERT}")
    if any(_NUMBER.match(each.strip()) for each in header) and len(found) > 1:
        shown = delimiter.join(header)[:80]
        raise InvalidData(
            f"{FIELD}: {name} has no header: its first row is {shown!r}; write a row with the "
            "columns' names above it"
        )
    return Dialect(delimiter, header)


def batches(
    stored: FetchedFile,
    name: str,
    dialect: Dialect,
    columns: Sequence[str],
    ragged: Ragged,
    on_fetched: Callable[[int], None],
) -> Iterator[tuple[pa.RecordBatch, float]]:
    """The rows of a file, some at a time, with the share of the file that was read.

    Args:
        name: of the file, for messages.
        columns: those that are wanted, as the header has them; their cells come as texts.
        ragged: may raise to end the reading; else the row is left out.
        on_fetched: is told how many more bytes were fetched, where it is not on this disk.

    Raises:
        InvalidData: it is no sound csv file.
        StoreUnavailable: the location is away.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    refused: list[TrainerError] = []

    def handle(row: Any) -> str:
        try:
            ragged(row.number, row.actual_columns, row.expected_columns)
        except TrainerError as error:
            # Arrow calls this from within; it goes on from where Arrow has ended.
            refused.append(error)
            return "error"
        return "skip"

    with stored.opened(on_fetched) as file, _unpacking(name):
        size = max(1, file.seek(0, os.SEEK_END))
        file.seek(0)
        unpacked = _unpacked(file, name)
        try:
            reader = arrow.open_csv(
                pa.PythonFile(unpacked, "r"),
                # Numbers of rows are told by one thread alone.
                read_options=arrow.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
                parse_options=arrow.ParseOptions(
                    delimiter=dialect.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=handle,
                ),
                convert_options=arrow.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()),
                    include_columns=list(columns),
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                yield batch, min(1.0, file.tell() / size)
        except pa.ArrowInvalid as error:
            if refused:
                raise refused[0] from None
            raise _unsound(name, error) from error


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidData(
            f"{FIELD}: {name} cannot be unpacked ({error}); fetch it again"
        ) from error


def _unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    return gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file  # type: ignore[return-value]


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO("".join(lines)), delimiter=delimiter)
    found = []
    try:
        for row in reader:
            if row:
                found.append(row)
            if len(found) == _SNIFFED_ROWS:
                break
    except csv.Error:
        # A cell larger than Python's csv takes: what came before it has to do.
        pass
    return found


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """How well rows agree on a header of several columns."""
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    width = len(rows[0])
    return sum(len(row) == width for row in rows) / len(rows), width


def _unsound(name: str, error: Exception) -> InvalidData:
    text = str(error)
    if invalid := _INVALID_TEXT.search(text):
        return InvalidData(
            f"{FIELD}: {name}, row {invalid[1]} (the header is row 1) is no UTF-8; {_CONVERT}"
        )
    if "straddling" in text:
        return InvalidData(
            f"{FIELD}: {name} has a row of more than {_BLOCK_BYTES >> 20} MB: a quotation mark is "
            "not closed; write it anew with a csv library"
        )
    first = text.splitlines()[0][:200]
    return InvalidData(f"{FIELD}: {name} is no sound csv file ({first}); write it again")
