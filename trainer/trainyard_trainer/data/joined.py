"""Rows of two sources as one."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainyard_trainer.data.memory import aligned
from trainyard_trainer.data.rows import Features, Numbers, Part, RowSource, Targets


class Joined:
    """The rows of a source, and behind them those of another."""

    def __init__(self, first: RowSource, second: RowSource) -> None:
        """Args:
        second: has rows of the same shape, of which the values fit the first one's type.
        """
        self._first = first
        self._second = second

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._first.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `take` gives."""
        return self._first.dtype

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def take(self, numbers: Numbers) -> Features:
        """The rows of these numbers, in this order."""
        behind = numbers >= len(self._first)
        if not behind.any():
            return self._first.take(numbers)
        answer = aligned((len(numbers), *self.shape), self.dtype)
        answer[~behind] = self._first.take(numbers[~behind])
        answer[behind] = self._second.take(numbers[behind] - len(self._first))
        return answer


def joined(part: Part, more: RowSource, targets: Targets) -> Part:
    """A part with more rows behind its own.

    Args:
        targets: of the rows that come to it.
    """
    numbers = len(part.source) + np.arange(len(more), dtype=np.int64)
    return Part(
        Joined(part.source, more),
        np.concatenate([part.numbers, numbers]),
        np.concatenate([part.targets, targets]),
    )
