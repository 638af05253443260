"""What must hold of arrays before anything is learned from them, and what only looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.source import FIELD, Raw
from trainyard_trainer.data.target import Classes, Target
from trainyard_trainer.errors import InvalidData

_ROWS_AT_ONCE: Final = 8192
_LARGEST: Final = 1e18
"""Of features: models compute in float32, which holds the square of no larger number."""
_CHANNELS: Final = (1, 3, 4)
_LISTED: Final = 5


def to_source(raw: Raw) -> Resident:
    """Checked features; pictures without a channel get one.

    Raises:
        InvalidData: no rows, another number of labels, or features that are no finite numbers.
    """
    features, labels = raw.features, raw.labels
    if labels.ndim == 0 or features.ndim == 0 or len(features) != len(labels):
        counts = [len(each) if each.ndim else "no" for each in (features, labels)]
        raise InvalidData(
            f"{FIELD}: {raw.name} has {counts[0]} rows of features and {counts[1]} labels; "
            "each row needs one"
        )
    if len(labels) == 0:
        raise InvalidData(f"{FIELD}: {raw.name} has no rows")
    if features.ndim not in (2, 3, 4) or 0 in features.shape:
        raise InvalidData(
            f"{FIELD}: {raw.name}: features have the shape {features.shape}; tables are (rows, "
            "columns), images (rows, height, width) or (rows, height, width, channels)"
        )
    if features.dtype.kind not in "iubf":
        raise InvalidData(
            f"{FIELD}: {raw.name}: features are of type {features.dtype}; numbers are needed"
        )
    if features.dtype.kind == "f":
        _check_sizes(features, raw.name)
    if features.dtype.itemsize > np.dtype(np.float64).itemsize:
        # Extended precision, which TensorFlow does not know.
        features = features.astype(np.float64)
    return Resident(features[..., np.newaxis] if features.ndim == 3 else features)


def check_same_shape(train: Resident, other: Resident, part: str, name: str) -> None:
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
        listed = _listed(target, unseen)
        raise InvalidData(
            f"{FIELD}: {name}: the test part has rows of the class {listed}, the training part has "
            "none; take examples of each class into both"
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
    named = ", ".join(target.names[each] for each in classes[:_LISTED])
    return named + (f" and {len(classes) - _LISTED} more" if len(classes) > _LISTED else "")


def _check_sizes(features: NDArray[Any], name: str) -> None:
    # In pieces: a mask of the whole array would cost as much memory as small features do.
    for first in range(0, len(features), _ROWS_AT_ONCE):
        # In a wider type: the bound itself is more than a float16 holds.
        sizes = np.abs(features[first : first + _ROWS_AT_ONCE].astype(np.float64))
        fitting = sizes <= _LARGEST
        if fitting.all():
            continue
        row, *column = np.argwhere(~fitting)[0].tolist()
        if np.isfinite(sizes[row, *column]):
            what = f"larger than {_LARGEST:g}; give it in another unit"
        else:
            what = "NaN or infinite; fill it in or drop the row"
        place = f"column {column[0]}" if len(column) == 1 else f"pixel {tuple(column)}"
        raise InvalidData(f"{FIELD}: {name}: row {first + row}, {place} is {what}")
