"""Parquet files, some rows at a time: a group of rows may be larger than the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from trainyard_trainer.data.fetched import FetchedFile
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Location

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_ROW: Final = 1
"""The number of the first row: there is no header."""

_BUFFER_BYTES: Final = 1024 * 1024
"""Of each column that is read; without it, a whole column of a group would be."""
_CELLS_AT_ONCE: Final = 2**20
_ROWS_AT_ONCE: Final = 2**16


def schema_of(location: Location, name: str) -> pa.Schema:
    """The columns of a file.

    Args:
        name: of the file, for messages.

    Raises:
        InvalidData: it is no Parquet file.
        StoreUnavailable: the location is away.
    """
    with location.guarded(), location.open() as source, _parquet(source, name) as file:
        return file.schema_arrow


def batches(
    stored: FetchedFile, name: str, columns: Sequence[str], on_fetched: Callable[[int], None]
) -> Iterator[tuple[pa.RecordBatch, float]]:
    """The rows of a file, some at a time, with the share of the file that was read.

    Args:
        name: of the file, for messages.
        on_fetched: is told how many more bytes were fetched, where it is not on this disk.
        columns: those that are wanted; each is there.

    Raises:
        InvalidData: it is no sound Parquet file.
        StoreUnavailable: the location is away.
    """
    with stored.opened(on_fetched) as source, _parquet(source, name) as file:
        rows, read = max(1, file.metadata.num_rows), 0
        at_once = max(256, min(_ROWS_AT_ONCE, _CELLS_AT_ONCE // max(1, len(columns))))
        for batch in file.iter_batches(at_once, columns=list(columns), use_threads=False):
            read += batch.num_rows
            yield batch, read / rows


@contextmanager
def _parquet(file: IO[bytes], name: str) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        yield parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidData(
            f"{FIELD}: {name} is no sound Parquet file ({str(error)[:200]}); write it again"
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise InvalidData(
            f"{FIELD}: {name} is damaged ({str(error)[:200]}); fetch it again"
        ) from error
