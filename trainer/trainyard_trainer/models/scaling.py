"""Scaling of the raw input, fitted on the training part and kept inside the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import keras
import numpy as np
from numpy.typing import NDArray

Kind = Literal["none", "standard", "minmax", "rescale"]

LAYER_NAME: Final = "scaling"
_ROWS_AT_ONCE: Final = 8192


@dataclass(frozen=True)
class Scaling:
    """`(x - shift) / scale`, for each channel of images or each column of tables.

    Attributes:
        shift, scale: as many numbers as the input's last axis, or one; scale is never 0.
    """

    kind: Kind
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


def fit_scaling(kind: Kind, features: NDArray[np.generic]) -> Scaling:
    """The scaling of that kind for the training part's features.

    Args:
        features: shape (rows, columns) or (rows, height, width, channels).

    A column that never changes is shifted alone, not divided by zero.
    """
    if kind == "none":
        return Scaling(kind)
    if kind == "rescale":
        return Scaling(kind, scale=(255.0,))
    shift, scale = _moments(features) if kind == "standard" else _range(features)
    scale = np.where(scale > 0.0, scale, 1.0)
    return Scaling(kind, tuple(map(float, shift)), tuple(map(float, scale)))


def scaling_layer(scaling: Scaling) -> keras.layers.Layer | None:
    """The Keras layer that does it; None where nothing is to be done."""
    if scaling.kind == "none":
        return None
    if scaling.kind == "rescale":
        return keras.layers.Rescaling(1.0 / scaling.scale[0], name=LAYER_NAME)
    return keras.layers.Normalization(
        mean=list(scaling.shift),
        variance=[scale * scale for scale in scaling.scale],
        name=LAYER_NAME,
    )


def _pieces(features: NDArray[np.generic]) -> Iterator[NDArray[np.float64]]:
    """The features as (values, columns), some rows at a time: a float64 copy of a whole data set
    of bytes would be eight times its size.
    """
    for first in range(0, len(features), _ROWS_AT_ONCE):
        piece = features[first : first + _ROWS_AT_ONCE].astype(np.float64)
        yield piece.reshape(-1, features.shape[-1])


def _moments(features: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column, in two passes for the sake of precision."""
    count = features.size // features.shape[-1]
    mean = sum((p.sum(axis=0) for p in _pieces(features)), np.zeros(features.shape[-1])) / count
    squares = sum(
        (np.square(p - mean).sum(axis=0) for p in _pieces(features)), np.zeros(features.shape[-1])
    )
    return mean, np.sqrt(squares / count)


def _range(features: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minimum and range of each column."""
    lowest = np.min([p.min(axis=0) for p in _pieces(features)], axis=0)
    highest = np.max([p.max(axis=0) for p in _pieces(features)], axis=0)
    return lowest, highest - lowest
