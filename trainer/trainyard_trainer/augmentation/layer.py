"""What all layers for augmentation answer, Keras' and those that are built here."""

from __future__ import annotations

from typing import Any, Protocol

from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.augmentation.values import Values


class Layer(Protocol):
    """A way to change rows."""

    def change(self, mixture: Mixture, values: Values, seed: Any) -> Mixture:
        """Inside a graph: the changed rows.

        Args:
            mixture: pictures have their channels last.
            values: of the training part.
            seed: of this layer in this replica and step, int32 (2,).
        """


def at_least_zero(name: str, value: Any) -> float:
    """An argument that has to be a number.

    Raises:
        ValueError: it is none, or below 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(f"{name} should be a number of at least 0, not {value!r}")
    return float(value)
