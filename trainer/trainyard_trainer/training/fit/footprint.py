"""How many rows a model can be asked at once.

What an answer costs in memory are the layers' outputs. A row of a table costs some hundred bytes,
a large picture in the first layers many megabytes: a fixed number of rows fits neither.
"""

from __future__ import annotations

import math
from typing import Final

import keras

_BYTES: Final = 256 * 2**20
"""Of layers' outputs, for each replica."""
_MOST_ROWS: Final = 1024
_FLOAT_BYTES: Final = 4
_OF_OUTPUTS: Final = 3
"""The largest outputs that are counted: what a layer reads, what it writes, and its workspace."""


def rows_at_once(model: keras.Model, budget: int = _BYTES) -> int:
    """Rows that a replica may take at a time, at least 1.

    Args:
        budget: bytes for the layers' outputs.
    """
    sizes = sorted(
        (
            math.prod(size or 1 for size in tensor.shape[1:]) * _FLOAT_BYTES
            for layer in model.layers
            for tensor in _outputs(layer)
        ),
        reverse=True,
    )
    return max(1, min(_MOST_ROWS, budget // max(1, sum(sizes[:_OF_OUTPUTS]))))


def _outputs(layer: keras.layers.Layer) -> list[keras.KerasTensor]:
    """What a layer gives; nothing where Keras does not know it, as in models of one's own."""
    try:
        found = layer.output
    except (AttributeError, ValueError):
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]
