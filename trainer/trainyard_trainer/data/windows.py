"""Windows over the steps of series: which steps each one sees, and which step it tells.

Nothing of a step is copied for the windows that share it: a window is where it begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Window
from trainyard_trainer.data.rows import Features, Numbers, RowSource


@dataclass(frozen=True)
class Windows:
    """Some windows.

    Attributes:
        order: numbers of the rows that are steps, one series after another, the oldest first.
        starts: of each window, the place in `order` of its first step.
        length: how many steps a window has.
        horizon: how many steps after its last one its label is.
    """

    order: Numbers
    starts: Numbers
    length: int
    horizon: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def last(self) -> Numbers:
        """Of each window, the row that is its last step."""
        return self.order[self.starts + self.length - 1]

    @property
    def labelled(self) -> Numbers:
        """Of each window, the row that has its label."""
        return self.order[self.starts + self.length - 1 + self.horizon]

    def only(self, places: Numbers) -> Windows:
        """The windows at these places alone."""
        return replace(self, starts=self.starts[places])

    def among(self, numbers: Numbers) -> Windows:
        """The same windows over some of the rows, in which all of theirs are.

        Args:
            numbers: of each row that is kept, its number among those.
        """
        return replace(self, order=numbers[self.order])

    def rows(self, places: Numbers) -> Numbers:
        """The rows that the windows at these places see: (windows, length)."""
        return self.order[self.starts[places][:, np.newaxis] + np.arange(self.length)]

    def seen(self, rows: int) -> NDArray[np.bool_]:
        """Which of so many rows any window sees."""
        changes = np.zeros(len(self.order) + 1, np.int64)
        np.add.at(changes, self.starts, 1)
        np.add.at(changes, self.starts + self.length, -1)
        seen = np.zeros(rows, np.bool_)
        seen[self.order[np.cumsum(changes[:-1]) > 0]] = True
        return seen


@dataclass(frozen=True)
class Series:
    """Rows as steps of series.

    Attributes:
        order: numbers of the rows, one series after another, the oldest first.
        begins: of each series, the place in `order` of its first step, and at last their number.
    """

    order: Numbers
    begins: Numbers

    @classmethod
    def of(
        cls, rows: Numbers, names: NDArray[Any] | None, times: NDArray[np.float64] | None
    ) -> Series:
        """The series that some rows are.

        Args:
            rows: in the order of the table, which they keep where times do not tell another.
            names: of all rows of the table: a number for the series of each. None: there is one.
            times: of all rows of the table.
        """
        keys = [each[rows] for each in (times, names) if each is not None]
        order = rows[np.lexsort(keys)] if keys else rows
        if names is None:
            return cls(order, np.unique([0, len(order)]))
        begins = np.flatnonzero(np.diff(names[order], prepend=-1))
        return cls(order, np.append(begins, len(order)))

    @property
    def lengths(self) -> Numbers:
        """How many steps each has."""
        return np.diff(self.begins)

    def shares(self) -> NDArray[np.float64]:
        """How much of its series is over before each step, in `order`: from 0 to below 1."""
        lengths = self.lengths
        return self._places() / np.repeat(lengths, lengths)

    def windows(self, window: Window, good: NDArray[np.bool_]) -> Windows:
        """All windows whose steps and label are rows that can be used.

        Args:
            good: of all rows of the table. Others stay steps that have been: no window reaches
                across them.
        """
        lengths, reach = self.lengths, window.length + window.horizon
        places = self._places()
        ends = places + reach <= np.repeat(lengths, lengths)
        starts = np.flatnonzero(ends & (places % window.stride == 0))
        usable = good[self.order]
        bad = np.concatenate([[0], np.cumsum(~usable)])
        whole = bad[starts + window.length] == bad[starts]
        starts = starts[whole & usable[starts + reach - 1]]
        return Windows(self.order, starts, window.length, window.horizon)

    def _places(self) -> Numbers:
        """Of each step, its place in its series."""
        lengths = self.lengths
        return np.arange(len(self.order)) - np.repeat(self.begins[:-1], lengths)


class WindowRows:
    """Windows as rows of shape (length, *step), cut from the steps when they are taken."""

    def __init__(self, steps: RowSource, windows: Windows) -> None:
        """Args:
        windows: over the rows of `steps`.
        """
        self._steps = steps
        self._windows = windows

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one window."""
        return (self._windows.length, *self._steps.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._steps.dtype

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, numbers: Numbers) -> Features:
        """The windows of these numbers, in this order."""
        steps = self._steps.take(self._windows.rows(numbers).ravel())
        return steps.reshape(len(numbers), *self.shape)
