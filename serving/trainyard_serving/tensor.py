"""What goes into a model and comes out: names, shapes and types, and quantization.

Callers always see ordinary numbers: a quantized int8 tensor is float32 to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_SERVED = ("float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64")


class UnsuitableTensor(ValueError):
    """A tensor that cannot be sent as numbers of one fixed shape."""


@dataclass(frozen=True)
class TensorSpec:
    """A model's input or output.

    Attributes:
        name: as the model's signature calls it.
        index: LiteRT's number of the tensor.
        shape: of one row, without the batch.
        dtype: what callers see.
        stored: what LiteRT keeps.
        scale: of the quantization, value = scale * (stored - zero_point); 0: not quantized.
        zero_point: of the quantization.
    """

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    def to_stored(self, values: Array) -> Array:
        """`values` as LiteRT keeps them; what lies outside of the range is cut to it."""
        if not self.scale:
            return values
        bounds = np.iinfo(self.stored)
        steps = np.rint(values / np.float32(self.scale)) + self.zero_point
        return np.clip(steps, bounds.min, bounds.max).astype(self.stored)

    def from_stored(self, values: Array) -> Array:
        """LiteRT's `values` as callers see them."""
        if not self.scale:
            return values
        return (values.astype(np.float32) - self.zero_point) * np.float32(self.scale)


def read_spec(name: str, details: Mapping[str, Any]) -> TensorSpec:
    """The tensor in LiteRT's `details`.

    Raises:
        UnsuitableTensor: text, complex numbers, a free dimension besides the batch, or a
            quantization by channel.
    """
    stored = np.dtype(details["dtype"])
    if stored.name not in _SERVED:
        raise UnsuitableTensor(f"{name} has type {stored.name}; {', '.join(_SERVED)} can be served")
    shape = tuple(int(size) for size in details["shape_signature"])[1:]
    if any(size < 1 for size in shape):
        raise UnsuitableTensor(
            f"{name} has shape {list(details['shape_signature'])}: only the batch may be free"
        )
    scales = details["quantization_parameters"]["scales"]
    if len(scales) > 1:
        raise UnsuitableTensor(f"{name} is quantized by channel; by tensor can be served")
    quantized = len(scales) == 1 and stored.kind in "iu"
    return TensorSpec(
        name=name,
        index=int(details["index"]),
        shape=shape,
        dtype=np.dtype(np.float32) if quantized else stored,
        stored=stored,
        scale=float(scales[0]) if quantized else 0.0,
        zero_point=int(details["quantization_parameters"]["zero_points"][0]) if quantized else 0,
    )
