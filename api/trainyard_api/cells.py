"""What the cell of a table says: as a number, a truth value, a time, a text.

Training reads millions of cells at once, serving one at a time; both follow what stands here, or a
model would be asked in another language than it was taught in.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

Cell: TypeAlias = str | int | float | bool | date | None

NUMBER: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
"""A number in a text, in the syntax that Python's `re` and RE2 share."""
WHOLE: Final = r"^[+-]?[0-9]+$"
"""A whole number in a text."""
TIME: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
"""A date of ISO 8601, or one with a time; without a zone it is UTC."""
TRUE: Final = ("true", "yes", "t", "y")
"""In small letters."""
FALSE: Final = ("false", "no", "f", "n")
"""In small letters."""
MISSING: Final = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan"),
    *("NULL", "null", "None"),
)
"""Texts that say that there is no value."""

LARGEST: Final = 1e18
"""Of a number: models compute in float32, which holds the square of no larger one."""

_NUMBER: Final = re.compile(NUMBER)
_TIME: Final = re.compile(TIME)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class WrongCell(ValueError):
    """A cell does not hold what its column is of; the message says what it holds."""


def is_missing(cell: Cell) -> bool:
    """Whether a cell has no value."""
    if cell is None:
        return True
    if isinstance(cell, float):
        return math.isnan(cell)
    return isinstance(cell, str) and cell.strip() in MISSING


def number_of(cell: Cell) -> float:
    """A number, or a text that is one.

    Raises:
        WrongCell: it is none, or one larger than `LARGEST`.
    """
    if isinstance(cell, (bool, int, float)):
        try:
            number = float(cell)
        except OverflowError:
            number = math.inf
    elif isinstance(cell, str) and _NUMBER.match(cell.strip()):
        number = float(cell)
    else:
        raise WrongCell(f"{cell!r} is no number")
    if not abs(number) <= LARGEST:
        raise WrongCell(f"{cell!r} is larger than {LARGEST:g}; give it in another unit")
    return number


def truth_of(cell: Cell) -> bool:
    """A truth value, 0 or 1, or a text that is one.

    Raises:
        WrongCell: it is none.
    """
    if isinstance(cell, (bool, int, float)) and cell in (0, 1):
        return bool(cell)
    if isinstance(cell, str):
        text = cell.strip().lower()
        if text in (*TRUE, "1"):
            return True
        if text in (*FALSE, "0"):
            return False
    raise WrongCell(f"{cell!r} is neither true nor false")


def seconds_of(cell: Cell) -> float:
    """A time in seconds since 1970, from a date, an ISO 8601 text, or such seconds themselves.

    Raises:
        WrongCell: it is none.
    """
    if isinstance(cell, str) and not _NUMBER.match(cell.strip()):
        text = cell.strip()
        try:
            if not _TIME.match(text):
                raise ValueError(text)
            cell = datetime.fromisoformat(text)
        except ValueError:
            raise WrongCell(
                f"{cell!r} is no time; write YYYY-MM-DD or YYYY-MM-DDThh:mm:ss"
            ) from None
    if isinstance(cell, datetime):
        aware = cell if cell.tzinfo is not None else cell.replace(tzinfo=UTC)
        return (aware - _EPOCH).total_seconds()
    if isinstance(cell, date):
        return float((cell - _EPOCH.date()).days * 86_400)
    if isinstance(cell, bool) or cell is None:
        raise WrongCell(f"{cell!r} is no time")
    return number_of(cell)


def text_of(cell: Cell) -> str:
    """A category or a text, as a vocabulary has it. Whole numbers have no point: 3.0 is "3"."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat()
    return str(cell).strip()
