"""A row with names, as a caller has it, to the numbers that a model takes.

Serving does this for each request. Training encodes whole batches by other means, and a test holds
that both give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trainyard_api import cells
from trainyard_api.cells import Cell, WrongCell
from trainyard_api.contract import ColumnContract, InputContract
from trainyard_api.listing import listed
from trainyard_api.words import words_of

_UNKNOWN: Final = 0
_NUMERIC: Final[Mapping[str, Callable[[Cell], float]]] = {
    "number": cells.number_of,
    "boolean": lambda cell: float(cells.truth_of(cell)),
    "time": cells.seconds_of,
}
_LISTED: Final = 5


class WrongRow(ValueError):
    """A row cannot be encoded; the message names the column and says what to send."""


class Encoder:
    """Encodes rows of one contract."""

    def __init__(self, columns: Sequence[ColumnContract]) -> None:
        self._columns = tuple(columns)
        self._codes = {
            column.name: {entry: code for code, entry in enumerate(column.vocabulary, start=1)}
            for column in columns
        }

    def encode(self, row: Mapping[str, Any] | Sequence[Any]) -> list[float]:
        """The numbers of a row; None or NaN stands for what is missing, where that is allowed.

        Args:
            row: cells by the columns' names, or all of them in the columns' order.

        Raises:
            WrongRow: a column is unknown, not there, or holds something else than it should.
        """
        encoded: list[float] = []
        for column, cell in zip(self._columns, self._cells(row), strict=True):
            if cell is not None and not isinstance(cell, (str, int, float, bool)):
                raise WrongRow(
                    f"column {column.name}: {_shown(cell)} is no cell; send a number, a text, "
                    "true, false or null"
                )
            try:
                encoded += self._encoded(column, cell)
            except WrongCell as error:
                raise WrongRow(f"column {column.name}: {error}") from error
        return encoded

    def _cells(self, row: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        names = [column.name for column in self._columns]
        if not isinstance(row, Mapping):
            if isinstance(row, str) or not isinstance(row, Sequence):
                raise WrongRow(f"a row is an object or a list, not {_shown(row)}")
            if len(row) != len(names):
                raise WrongRow(
                    f"the row has {len(row)} cells, and the model takes {len(names)} columns: "
                    f"{listed(names, _LISTED)}"
                )
            return list(row)
        if unknown := [name for name in row if name not in self._codes]:
            raise WrongRow(
                f"the model takes no column {listed(unknown, _LISTED)}; it takes "
                f"{listed(names, _LISTED)}"
            )
        if absent := [name for name in names if name not in row]:
            raise WrongRow(
                f"the row lacks the column {listed(absent, _LISTED)}; send null where unknown"
            )
        return [row[name] for name in names]

    def _encoded(self, column: ColumnContract, cell: Cell) -> list[float]:
        missing = cells.is_missing(cell)
        codes = self._codes[column.name]
        if column.kind == "category":
            return [float(_UNKNOWN if missing else codes.get(cells.text_of(cell), _UNKNOWN))]
        if column.kind == "text":
            words = [] if missing else words_of(cells.text_of(cell))[: column.width]
            # Code 1 is the vocabulary's first entry, which stands for unknown words.
            known = [float(codes.get(word, 1)) for word in words]
            return known + [0.0] * (column.width - len(known))
        if missing:
            if column.fill is None:
                raise WrongCell("has no value, and in training none was missing; send one")
            return [math.nan]
        return [_NUMERIC[column.kind](cell) - column.shift]


class WindowEncoder:
    """Encodes rows that are windows: lists of steps, the oldest first, each as `Encoder` has it."""

    def __init__(self, columns: Sequence[ColumnContract], steps: int) -> None:
        self._step = Encoder(columns)
        self._steps = steps

    def encode(self, row: Sequence[Any]) -> list[list[float]]:
        """The numbers of each step.

        Raises:
            WrongRow: it is no list of so many steps, or one of them cannot be encoded.
        """
        if isinstance(row, (str, Mapping)) or not isinstance(row, Sequence):
            raise WrongRow(
                f"a row is a list of {self._steps} steps, the oldest first, not {_shown(row)}"
            )
        if len(row) != self._steps:
            raise WrongRow(
                f"the row has {len(row)} steps, and the model takes {self._steps}, the oldest first"
            )
        encoded = []
        for index, step in enumerate(row):
            try:
                encoded.append(self._step.encode(step))
            except WrongRow as error:
                raise WrongRow(f"step {index}: {error}") from error
        return encoded


def encoder_of(taken: InputContract) -> Encoder | WindowEncoder | None:
    """What encodes the rows of a table; None where rows are those of none."""
    if not taken.columns:
        return None
    return (
        Encoder(taken.columns) if taken.steps is None else WindowEncoder(taken.columns, taken.steps)
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
