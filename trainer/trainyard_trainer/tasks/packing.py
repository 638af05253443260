"""What a model that rebuilds rows gives while it trains: all that its loss needs, in one tensor.

The engine asks for one tensor a row. So what was to be rebuilt, what was rebuilt and the latent
numbers stand side by side, and the task takes them apart again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras

from trainyard_trainer.data.generation.layout import Layout

PACKED: Final = "packed"
"""Name of the layer that puts them side by side."""


@dataclass(frozen=True)
class Rebuilt:
    """Some rows and what became of them; tensors or arrays, (rows, places).

    Attributes:
        rows: what was to be rebuilt, laid out.
        decoded: see `likelihood`.
        latents: their means, where they are distributions.
        log_variances: of the latents; None where they are numbers.
    """

    rows: Any
    decoded: Any
    latents: Any
    log_variances: Any | None


@dataclass(frozen=True)
class Packing:
    """Where in the tensor things stand.

    Attributes:
        layout: of a row.
        latents: how many numbers stand for one.
        variational: whether those are distributions, and numbers have learned variances.
    """

    layout: Layout
    latents: int
    variational: bool

    @property
    def decoded(self) -> int:
        """Places of a decoded row."""
        return self.layout.width + (self.layout.numbers if self.variational else 0)

    def pack(self, tensors: Sequence[Any]) -> Any:
        """One tensor (batch, places) of rows, decoded rows, latents and, if there are, the
        logarithms of their variances.
        """
        return keras.layers.Concatenate(name=PACKED, dtype="float32")(list(tensors))

    def unpack(self, packed: Any) -> Rebuilt:
        """What was packed."""
        first = self.layout.width
        second = first + self.decoded
        third = second + self.latents
        return Rebuilt(
            packed[:, :first],
            packed[:, first:second],
            packed[:, second:third],
            packed[:, third:] if self.variational else None,
        )
