"""Pieces of a table as rows of float32, as `trainyard_api.encoding` encodes one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import words
from trainyard_trainer.data.schema import Column
from trainyard_trainer.data.tables import values

if TYPE_CHECKING:
    import pyarrow as pa


class Encoding:
    """Encodes the cells of columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._codes = {column.name: words.lookup(column.vocabulary) for column in columns}

    @property
    def width(self) -> int:
        """Of a row."""
        return sum(column.width for column in self.columns)

    def encode(self, cells: Mapping[str, Any], rows: int) -> NDArray[np.float32]:
        """Rows as the model takes them; NaN stands for a number that is missing.

        Args:
            cells: plain ones, by the columns' names.

        Returns:
            Shape (rows, width).
        """
        encoded = np.empty((rows, self.width), np.float32)
        for column in self.columns:
            places = slice(column.first, column.first + column.width)
            encoded[:, places] = self._of(column, cells[column.name])
        return encoded

    def _of(self, column: Column, cells: pa.Array) -> NDArray[Any]:
        if column.kind == "number":
            return _upright(values.numbers(cells).values - column.shift)
        if column.kind == "time":
            return _upright(values.times(cells).values - column.shift)
        if column.kind == "boolean":
            return _upright(values.truths(cells).values)
        codes = self._codes[column.name]
        texts = values.texts(cells)
        if column.kind == "text":
            return words.encode(texts.fill_null("").to_pylist(), codes, column.width)
        coded = texts.dictionary_encode()
        found = [codes.get(text, 0) for text in coded.dictionary.to_pylist()]
        known = np.array([*found, 0], np.float32)
        return _upright(known[coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)])


def _upright(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, np.newaxis]
