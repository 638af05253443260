"""Scaling of raw input: fitted on the training part alone, exported as layers of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import keras
import numpy as np

from trainyard_trainer.data.moments import Moments, moments_of
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Column, Schema

Kind = Literal["none", "standard", "minmax", "rescale"]

CENTER_NAME: Final = "centering"
SCALE_NAME: Final = "scaling"
_BYTE: Final = 255.0


@dataclass(frozen=True)
class Scaling:
    """`(x - shift) / scale`, for each channel of images or each column of tables.

    Attributes:
        shift, scale: as many numbers as the input's last axis, or one; scale is never 0.
    """

    kind: Kind
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


def fit_scaling(kind: Kind, train: Part, channels_first: bool = False) -> Scaling:
    """The scaling of that kind for the training part's features.

    A column that never changes is shifted alone, not divided by zero.
    """
    if kind == "none":
        return Scaling(kind)
    if kind == "rescale":
        return Scaling(kind, scale=(_BYTE,))
    found = moments_of(
        lambda: (
            np.moveaxis(rows.features, 1, -1) if channels_first else rows.features
            for rows in train.pieces()
        )
    )
    return scaling_of(kind, found)


def scaling_for(kind: Kind, train: Part, schema: Schema) -> Scaling:
    """The scaling of that kind for rows of a schema.

    Of a table it has an entry for each of its `scaled` columns, whose spread is known already.
    """
    if not schema.columns:
        return fit_scaling(kind, train, schema.channels_first)
    spreads = [column.spread for column in scaled(schema.columns) if column.spread is not None]
    if kind in ("none", "rescale") or not spreads:
        return Scaling(kind, scale=(_BYTE,) if kind == "rescale" else (1.0,))
    table = np.array([[s.mean, s.deviation, s.lowest, s.highest] for s in spreads], np.float64)
    return scaling_of(kind, Moments(*table.T))


def scaled(columns: Sequence[Column]) -> list[Column]:
    """The columns of a table that are scaled: truth values are between 0 and 1 already."""
    return [column for column in columns if column.kind in ("number", "time")]


def scaling_of(kind: Kind, found: Moments) -> Scaling:
    """The scaling of that kind for columns of these moments."""
    if kind == "standard":
        shift, scale = found.mean, found.spread
    else:
        shift, scale = found.lowest, found.highest - found.lowest
    scale = np.where(scale > 0.0, scale, 1.0)
    return Scaling(kind, tuple(map(float, shift)), tuple(map(float, scale)))


def scale(scaling: Scaling, tensor: Any) -> Any:
    """The tensor, scaled by layers of Keras.

    Keras' own Normalization adds an epsilon to the spread, in which a column of small numbers
    vanishes; and what is subtracted has to go first, or both are rounded.
    """
    if scaling.kind == "none":
        return tensor
    if any(scaling.shift):
        offset = [-shift for shift in scaling.shift]
        tensor = keras.layers.Rescaling(1.0, offset, dtype="float32", name=CENTER_NAME)(tensor)
    factors = [1.0 / scale for scale in scaling.scale]
    factor = factors if len(factors) > 1 else factors[0]
    return keras.layers.Rescaling(factor, dtype="float32", name=SCALE_NAME)(tensor)
