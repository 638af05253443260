"""What must hold of arrays before anything is learned from them, and what only looks wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.listing import listed
from trainyard_trainer.data.bad_rows import BadRows
from trainyard_trainer.data.rows import Part, RowSource
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.data.target import Classes, Target
from trainyard_trainer.errors import InvalidData

_LARGEST: Final = 1e18
"""Of features: models compute in float32, which holds the square of no larger number."""
_CHANNELS: Final = (1, 3, 4)
_LISTED: Final = 5


@dataclass(frozen=True)
class Layout:
    """How the rows of a part lie in its source, and how they are kept.

    Attributes:
        row: shape of one; pictures without a channel have got one.
        kept: type in which they are kept.
        name: of where they come from, for messages.
    """

    rows: int
    row: tuple[int, ...]
    kept: np.dtype[Any]
    name: str

    @property
    def row_bytes(self) -> int:
        """Bytes of one row as it is kept."""
        return math.prod(self.row) * self.kept.itemsize

    @property
    def bytes(self) -> int:
        """Bytes of all rows as they are kept."""
        return self.rows * self.row_bytes


def layout_of(
    shape: tuple[int, ...], dtype: np.dtype[Any], labels: NDArray[Any], name: str
) -> Layout:
    """The layout of features, from what is known before they are read.

    Args:
        shape: of all features, the number of rows first.
        name: of where they come from.

    Raises:
        InvalidData: no rows, another number of labels, or features that are no numbers.
    """
    if labels.ndim == 0 or not shape or shape[0] != len(labels):
        counts = [each[0] if each else "no" for each in (shape, labels.shape)]
        raise InvalidData(
            f"{FIELD}: {name} has {counts[0]} rows of features and {counts[1]} labels; "
            "each row needs one"
        )
    if len(labels) == 0:
        raise InvalidData(f"{FIELD}: {name} has no rows")
    if len(shape) not in (2, 3, 4) or 0 in shape:
        raise InvalidData(
            f"{FIELD}: {name}: features have the shape {shape}; tables are (rows, "
            "columns), images (rows, height, width) or (rows, height, width, channels)"
        )
    if dtype.kind not in "iubf":
        raise InvalidData(f"{FIELD}: {name}: features are of type {dtype}; numbers are needed")
    row = (*shape[1:], 1) if len(shape) == 3 else shape[1:]
    return Layout(shape[0], row, _kept(dtype), name)


def good_rows(piece: NDArray[Any], name: str, first: int, bad: BadRows) -> NDArray[np.bool_]:
    """Which of some rows are finite numbers that models can compute with.

    Args:
        piece: shape (rows, *row).
        first: number of its first row.
        bad: is told of all others.

    Returns:
        Shape (rows,).

    Raises:
        InvalidData: there are more others than are allowed.
    """
    if piece.dtype.kind != "f":
        return np.ones(len(piece), np.bool_)
    # In a wider type: the bound itself is more than a float16 holds.
    wider = piece.astype(np.float64) if piece.dtype.itemsize == 2 else piece
    fitting = np.abs(wider) <= _LARGEST
    good: NDArray[np.bool_] = fitting.reshape(len(piece), -1).all(axis=1)
    for row in np.flatnonzero(~good).tolist():
        column = tuple(np.argwhere(~fitting[row])[0].tolist())
        place = f"column {column[0]}" if len(column) == 1 else f"pixel {column}"
        where = f"{name}: row {first + row}, {place}"
        if np.isfinite(wider[(row, *column)]):
            bad.leave_out(where, f"is larger than {_LARGEST:g}", "give it in another unit")
        else:
            bad.leave_out(where, "is NaN or infinite", "fill it in or drop the row")
    return good


def _kept(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.itemsize > np.dtype(np.float64).itemsize:
        # Extended precision, which TensorFlow does not know.
        return np.dtype(np.float64)
    return dtype.newbyteorder("=")


def check_same_shape(train: RowSource, other: RowSource, part: str, name: str) -> None:
    """Rows of both parts must have one shape.

    Raises:
        InvalidData: they differ.
    """
    if train.shape != other.shape:
        raise InvalidData(
            f"{FIELD}: {name}: a training row has the shape {train.shape}, "
            f"a {part} row {other.shape}; make them alike"
        )


def are_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether rows are pictures whose channels come first, as PyTorch has them."""
    return len(shape) == 3 and shape[0] in _CHANNELS and shape[2] not in _CHANNELS


def check_classes(target: Target, train: Part, test: Part, name: str) -> None:
    """Every class that the test part has must be in the training part.

    Raises:
        InvalidData: one is not.
    """
    if not isinstance(target, Classes):
        return
    unseen = np.setdiff1d(test.targets, train.targets)
    if len(unseen):
        raise InvalidData(
            f"{FIELD}: {name}: the test part has rows of the class {_listed(target, unseen)}, the "
            "training part has none; take examples of each class into both"
        )


def absent_classes(target: Target, validation: Part, test: Part) -> Iterator[str]:
    """A sentence for each part that lacks a class."""
    if not isinstance(target, Classes):
        return
    for part, name in ((validation, "validation"), (test, "test")):
        missing = np.setdiff1d(np.arange(target.outputs), part.targets)
        if len(part) and len(missing):
            yield (
                f"the {name} part has no row of {_listed(target, missing)}: means over classes "
                "count these as 0"
            )


def scaled_before(train: Part, scaling: str) -> Iterator[str]:
    """A sentence where bytes were made fractions already, and would be again."""
    if scaling != "rescale" or train.source.dtype.kind != "f":
        return
    lowest = min(float(rows.features.min()) for rows in train.pieces())
    highest = max(float(rows.features.max()) for rows in train.pieces())
    if lowest >= 0.0 and highest <= 1.0:
        yield (
            f"spec.data.preprocessing.scaling: rescale divides by 255, and the values already lie "
            f"between {lowest:g} and {highest:g}; use none"
        )


def _listed(target: Classes, classes: NDArray[Any]) -> str:
    return listed([target.names[each] for each in classes], _LISTED)
