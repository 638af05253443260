"""Columns that lie in memory whole: labels, groups, times. A few bytes a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api import cells
from trainyard_trainer.data.tables import values

if TYPE_CHECKING:
    import pyarrow as pa

MISSING: Final = -1
_MOST_TEXTS: Final = 100_000
"""Different texts that are kept where all of them are numbers as well."""


class Codes:
    """A column as numbers of its different texts, in the order in which they are first seen."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []

    def add(self, array: pa.Array) -> None:
        """The next cells; plain ones."""
        coded = values.texts(array).dictionary_encode()
        found = [self.names.setdefault(t, len(self.names)) for t in coded.dictionary.to_pylist()]
        places = np.array([*found, MISSING], np.int32)
        indices = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
        self._codes.append(places[indices])

    def codes(self) -> NDArray[np.int32]:
        """Of each row; `MISSING` where nothing is."""
        if len(self._codes) != 1:
            self._codes = [np.concatenate([np.empty(0, np.int32), *self._codes])]
        return self._codes[0]


class Kept:
    """A column that is learned or that orders rows, as its cells are."""

    def __init__(self) -> None:
        self._codes: Codes | None = Codes()
        self._numbers: list[NDArray[np.float64]] = []
        self._wrong: list[NDArray[np.bool_]] = []

    def add(self, array: pa.Array) -> None:
        """The next cells of a label; plain ones."""
        parsed = values.numbers(array)
        # Of names that are no numbers, nothing but the names takes room.
        named = np.isnan(parsed.values).all()
        nothing = np.broadcast_to(np.float64(np.nan), (len(array),))
        self._numbers.append(nothing if named else parsed.values)
        self._wrong.append(parsed.wrong)
        if self._codes is not None:
            self._codes.add(array)
            # Measured numbers differ in every row; their texts would cost much.
            if len(self._codes.names) > _MOST_TEXTS and not any(w.any() for w in self._wrong):
                self._codes = None

    def add_times(self, array: pa.Array) -> None:
        """The next cells of a time."""
        self._codes = None
        parsed = values.times(array)
        self._numbers.append(parsed.values)
        self._wrong.append(parsed.wrong)

    def numbers(self) -> NDArray[np.float64]:
        """Of each row; NaN where there is none."""
        return np.concatenate(self._numbers) if self._numbers else np.empty(0, np.float64)

    def wrong(self) -> NDArray[np.bool_]:
        """Where something else than a number (or time) is."""
        return np.concatenate(self._wrong) if self._wrong else np.empty(0, np.bool_)

    def absent(self) -> NDArray[np.bool_]:
        """Where nothing is."""
        return np.isnan(self.numbers()) & ~self.wrong()

    def texts(self) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """Different texts, and the number of its text for each row."""
        if self._codes is None:
            found, codes = np.unique(self.numbers(), return_inverse=True)
            return tuple(cells.text_of(float(each)) for each in found), codes.astype(np.int32)
        return tuple(self._codes.names), self._codes.codes()

    def shown(self, row: int) -> Any:
        """What stands in a row, for messages."""
        names, codes = self.texts()
        return names[codes[row]] if codes[row] >= 0 else None
