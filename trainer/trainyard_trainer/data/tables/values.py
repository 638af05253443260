"""Cells of a column, many at a time, as numbers, truth values, times or texts.

What a cell says stands in `trainyard_api.cells`, which serving follows cell by cell.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api import cells
from trainyard_api.cells import Cell, WrongCell

if TYPE_CHECKING:
    import pyarrow as pa

_MICROSECONDS: Final = 1e6
_ZONE: Final = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"
_MORE_THAN_MICROSECONDS: Final = r"(\.[0-9]{6})[0-9]+"


@dataclass(frozen=True)
class Parsed:
    """Cells as float64.

    Attributes:
        values: NaN where nothing is, or something else than the kind asks for.
        wrong: where something else is.
    """

    values: NDArray[np.float64]
    wrong: NDArray[np.bool_]


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this type are texts."""
    import pyarrow as pa

    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether cells are lists of single values."""
    import pyarrow as pa

    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(listed and not pa.types.is_nested(kind.value_type))


def plain(array: pa.Array) -> pa.Array:
    """The cells themselves, where they were stored as places in a dictionary.

    Texts are trimmed, and null where they say that nothing is. Lists become JSON.
    """
    import pyarrow as pa
    from pyarrow import compute

    if is_list(array.type):
        found = [None if each is None else json.dumps(each) for each in array.to_pylist()]
        return pa.array(found, pa.string())

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not is_text(array.type):
        return array
    if not pa.types.is_string(array.type):
        array = array.cast(pa.string())
    trimmed = compute.utf8_trim_whitespace(array)
    missing = compute.is_in(trimmed, value_set=pa.array(cells.MISSING))
    return compute.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def missing(array: pa.Array) -> NDArray[np.bool_]:
    """Where nothing is, of plain cells."""
    import pyarrow as pa
    from pyarrow import compute

    nan = pa.types.is_floating(array.type)
    return np.asarray(compute.is_null(array, nan_is_null=nan).to_numpy(zero_copy_only=False), bool)


def numbers(array: pa.Array) -> Parsed:
    """Plain cells as numbers."""
    import pyarrow as pa
    from pyarrow import compute

    kind = array.type
    if is_text(kind):
        fits = compute.match_substring_regex(array, cells.NUMBER)
        array = compute.if_else(fits, array, pa.scalar(None, pa.string()))
        values = _floats(array)
        wrong = _truths(compute.invert(fits))
    elif pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return Parsed(np.full(len(array), np.nan), ~missing(array))
    else:
        if pa.types.is_duration(kind):
            array = array.cast(pa.duration("us")).cast(pa.int64())
            values = _floats(array) / _MICROSECONDS
        else:
            values = _floats(array)
        wrong = np.zeros(len(array), np.bool_)
    large = np.abs(values) > cells.LARGEST
    values[large] = np.nan
    return Parsed(values, wrong | large)


def truths(array: pa.Array) -> Parsed:
    """Plain cells as 0 and 1."""
    import pyarrow as pa

    if pa.types.is_boolean(array.type):
        return Parsed(_floats(array), np.zeros(len(array), np.bool_))
    return _by_cell(array, lambda cell: float(cells.truth_of(cell)))


def times(array: pa.Array) -> Parsed:
    """Plain cells as seconds since 1970."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        moments = array.cast(pa.timestamp("us", _zone(array.type)), safe=False)
        return Parsed(_seconds(moments), np.zeros(len(array), np.bool_))
    if not is_text(array.type):
        return numbers(array)
    fits = compute.match_substring_regex(array, cells.TIME)
    if not compute.all(fits, min_count=0).as_py():
        # Seconds, and what is no time at all.
        return _by_cell(array, cells.seconds_of)
    text = compute.replace_substring_regex(array, _MORE_THAN_MICROSECONDS, r"\1")
    zoned = compute.match_substring_regex(text, _ZONE)
    none = pa.scalar(None, pa.string())
    try:
        local = compute.if_else(zoned, none, text).cast(pa.timestamp("us"))
        world = compute.if_else(zoned, text, none).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        # One of them is a 30th of February.
        return _by_cell(array, cells.seconds_of)
    return Parsed(_seconds(compute.coalesce(local, world.cast(pa.timestamp("us")))), _none(array))


def texts(array: pa.Array) -> pa.Array:
    """Plain cells as texts, null where nothing is."""
    import pyarrow as pa

    if is_text(array.type):
        return array
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    coded = array.dictionary_encode()
    named = [
        None if cells.is_missing(cell) else cells.text_of(cell)
        for cell in coded.dictionary.to_pylist()
    ]
    return pa.array(named, pa.string()).take(coded.indices)


def _by_cell(array: pa.Array, read: Callable[[Cell], float]) -> Parsed:
    """Each different cell is read once."""
    coded = array.dictionary_encode()
    found = coded.dictionary.to_pylist()
    values, wrong = np.full(len(found) + 1, np.nan), np.zeros(len(found) + 1, np.bool_)
    for place, cell in enumerate(found):
        if cells.is_missing(cell):
            continue
        try:
            values[place] = read(cell)
        except WrongCell:
            wrong[place] = True
    places = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    return Parsed(values[places], wrong[places])


def _floats(array: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.array(values, np.float64)


def _seconds(moments: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa

    return _floats(moments.cast(pa.int64())) / _MICROSECONDS


def _truths(array: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)


def _none(array: Any) -> NDArray[np.bool_]:
    return np.zeros(len(array), np.bool_)


def _zone(kind: pa.DataType) -> str | None:
    return getattr(kind, "tz", None)
