"""What rows are, and how a raw one becomes what the model takes.

A row of any data set is one tensor of fixed shape and type. An array or a picture is that tensor.
A row of a table has named columns, of which each has a place in the tensor: numbers as they are,
categories and words by the number that the vocabulary gives them. What needs no more than numbers
(filling in, scaling, one-hot, embedding) the model itself does.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainyard_api.contract import ColumnKind
from trainyard_api.spec.data import Resize
from trainyard_trainer.data.target import Target


@dataclass(frozen=True)
class Spread:
    """What the training part has of a column, after the shift: float64."""

    mean: float
    deviation: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        first: its first place in the encoded row.
        width: how many places it has: 1, or the number of words kept of a text.
        shift: taken off numbers and times (seconds since 1970) in float64, before float32.
        fill: what stands for a missing number, after the shift; None: none may be missing.
        vocabulary: of categories and texts: entry i is encoded as i + 1. Any other category is 0;
            any other word is 1, and 0 is no word.
        spread: of numbers and times.
    """

    name: str
    kind: ColumnKind
    first: int
    width: int = 1
    shift: float = 0.0
    fill: float | None = None
    vocabulary: tuple[str, ...] = ()
    spread: Spread | None = None


@dataclass(frozen=True)
class Schema:
    """The rows of a data set.

    Attributes:
        shape: of one row as the model takes it: (columns,) or (height, width, channels); of a
            window (steps, columns).
        target: what is learned of a row.
        columns: of a table, in their order; empty for arrays and pictures. Their places are those
            of the row's last axis.
        shift: of an array: taken off its last axis in float64, before float32; empty: nothing.
        channels_first: rows are pictures of shape (channels, height, width).
        resize: of decoded pictures: how those of another size were fitted in.
        horizon: of windows: how many steps after a row's last one its target is; None: rows are no
            windows.
    """

    shape: tuple[int, ...]
    target: Target
    columns: tuple[Column, ...] = ()
    shift: tuple[float, ...] = ()
    channels_first: bool = False
    resize: Resize | None = None
    horizon: int | None = None

    @property
    def steps(self) -> int | None:
        """How many steps of its columns a row is; None: it is no window."""
        return None if self.horizon is None else self.shape[0]

    @property
    def picture(self) -> tuple[int, ...]:
        """Shape of a row with its channels last, as layers take it."""
        channels, *size = self.shape
        return (*size, channels) if self.channels_first else self.shape
