"""A row that a caller may send to try a model: plausible, and by the columns' names.

Without a row of the training data at hand: the middle of what a number held, a category that
training knew, words that it met often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from trainyard_api.contract import ColumnContract, InputContract, Range

_WORDS: Final = 4
"""Of a text."""
_DIGITS: Final = 4
"""Of a number that is no whole one."""


def example_row(columns: Sequence[ColumnContract]) -> dict[str, str | float | bool | None]:
    """Cells by the columns' names, which `encoding.Encoder` takes.

    Args:
        columns: of a table.
    """
    return {column.name: _cell(column) for column in columns}


def example_of(taken: InputContract) -> Any:
    """A row that `encoding.encoder_of` takes: of windows, a list of steps that are all the same.

    Args:
        taken: of a table.
    """
    step = example_row(taken.columns)
    return step if taken.steps is None else [step] * taken.steps


def _cell(column: ColumnContract) -> str | float | bool | None:
    match column.kind:
        case "boolean":
            return True
        case "category":
            return next(iter(column.vocabulary), None)
        case "text":
            # The first entry stands for all unknown words.
            return " ".join(column.vocabulary[1 : 1 + min(_WORDS, column.width)])
        case "number":
            return _number(column.range) if column.range is not None else 0.0
        case "time":
            return _time(column.range) if column.range is not None else "2000-01-01"


def _middle(held: Range) -> float:
    return held.lowest / 2 + held.highest / 2


def _number(held: Range) -> float:
    """The middle in few digits, or as it is where that leaves the range."""
    middle = _middle(held)
    whole = held.lowest.is_integer() and held.highest.is_integer()
    short = float(round(middle)) if whole else float(f"{middle:.{_DIGITS}g}")
    kept = short if held.lowest <= short <= held.highest else middle
    return int(kept) if whole and kept.is_integer() else kept


def _time(held: Range) -> str | float:
    """The middle as a date, with the time of day where the date alone lies before the range."""
    middle = _middle(held)
    try:
        found = datetime.fromtimestamp(int(middle), UTC)
    except (ValueError, OverflowError, OSError):
        # A year that calendars do not have: seconds are taken as well.
        return middle
    day = found.replace(hour=0, minute=0, second=0)
    if day.timestamp() >= held.lowest:
        return day.strftime("%Y-%m-%d")
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")
