"""What must hold of examples before anything is learned from them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.dataset import Part
from trainyard_trainer.data.source import FIELD, Raw
from trainyard_trainer.errors import InvalidData

_ROWS_AT_ONCE: Final = 8192
_LARGEST: Final = 1e18
"""Of features: models compute in float32, which holds the square of no larger number."""


def to_part(raw: Raw) -> Part:
    """Checked examples; images without a channel get one.

    Raises:
        InvalidData: no rows, other lengths, features that are no finite numbers, or labels that
            are no whole numbers from 0.
    """
    features, labels = raw.features, _labels(raw)
    if len(features) != len(labels):
        raise InvalidData(
            f"{FIELD}: {raw.name} has {len(features)} rows of features and {len(labels)} labels; "
            "each row needs one"
        )
    if len(labels) == 0:
        raise InvalidData(f"{FIELD}: {raw.name} has no rows")
    _check_features(raw)
    if features.ndim == 3:
        features = features[..., np.newaxis]
    return Part(features, labels)


def count_classes(train: Part, test: Part | None, name: str) -> int:
    """How many classes there are: the largest label of `train` and one.

    Raises:
        InvalidData: fewer than two, a test label that no training row has had, or labels that
            are not classes.
    """
    present = np.unique(train.labels)
    classes = int(present[-1]) + 1
    if len(present) < 2:
        raise InvalidData(
            f"{FIELD}: {name}: all training rows have the label {present[0]}; "
            "a classification needs two classes or more"
        )
    if 2 * len(present) < classes:
        raise InvalidData(
            f"{FIELD}: {name}: labels go up to {classes - 1}, but only {len(present)} of them "
            "occur; number the classes from 0"
        )
    if test is not None and int(test.labels.max()) >= classes:
        raise InvalidData(
            f"{FIELD}: {name}: the test part has the label {test.labels.max()}; the training "
            f"part's largest is {classes - 1}; take examples of each class into both"
        )
    return classes


def check_same_shape(train: Part, test: Part, name: str) -> None:
    """Rows of both parts must have one shape.

    Raises:
        InvalidData: they differ.
    """
    if train.features.shape[1:] != test.features.shape[1:]:
        raise InvalidData(
            f"{FIELD}: {name}: a training row has the shape {train.features.shape[1:]}, "
            f"a test row {test.features.shape[1:]}; make them alike"
        )


def _labels(raw: Raw) -> NDArray[np.int64]:
    labels = raw.labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InvalidData(
            f"{FIELD}: {raw.name}: labels have the shape {labels.shape}; one number a row is "
            "needed (of one-hot rows: argmax)"
        )
    if labels.dtype.kind not in "iubf":
        raise InvalidData(
            f"{FIELD}: {raw.name}: labels are of type {labels.dtype}; number the classes from 0"
        )
    whole = labels.astype(np.int64) if np.isfinite(labels).all() else None
    if whole is None or not np.array_equal(whole, labels):
        raise InvalidData(f"{FIELD}: {raw.name}: labels must be whole numbers (classes from 0)")
    if len(whole) and whole.min() < 0:
        raise InvalidData(
            f"{FIELD}: {raw.name}: the label {whole.min()} is negative; number the classes from 0"
        )
    return whole


def _check_features(raw: Raw) -> None:
    features = raw.features
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


def _check_sizes(features: NDArray[Any], name: str) -> None:
    # In pieces: a mask of the whole array would cost as much memory as small features do.
    for first in range(0, len(features), _ROWS_AT_ONCE):
        sizes = np.abs(features[first : first + _ROWS_AT_ONCE])
        fitting = sizes <= _LARGEST
        if fitting.all():
            continue
        row, *column = np.argwhere(~fitting)[0]
        if np.isfinite(sizes[row, *column]):
            what = f"larger than {_LARGEST:g}; give it in another unit"
        else:
            what = "NaN or infinite; fill it in or drop the row"
        raise InvalidData(f"{FIELD}: {name}: row {first + row} has a feature that is {what}")
