"""A layer of Keras, made to fit rows of any range and to keep nothing between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.augmentation.seeds import StepSeeds
from trainyard_trainer.augmentation.values import Values

_RANGE: Final = "value_range"
_GENERATOR: Final = "generator"
_FROM_0_TO_1: Final = ("RandomInvert", "RandomColorJitter", "RandomSaturation")
"""What is right for rows from 0 to 1 alone: RandomInvert takes the lowest value for 0, and
saturation, which is at most 1, is cut at the highest value."""


class KerasLayer:
    """One of Keras' layers for pictures."""

    def __init__(self, target: Any, arguments: Mapping[str, Any]) -> None:
        """Args:
        target: the layer's class.
        arguments: of its constructor, with the values' range where it takes one.

        Raises:
            ValueError, TypeError, NotImplementedError: the layer refuses them.
        """
        self._within: tuple[float, float] | None = None
        given = dict(arguments)
        if target.__name__ in _FROM_0_TO_1:
            lowest, highest = given[_RANGE]
            self._within = (lowest, highest)
            given[_RANGE] = (0.0, 1.0)
        self._layer = target(**given, dtype="float32")
        self._seeds = StepSeeds()
        if hasattr(self._layer, _GENERATOR):
            self._layer.generator = self._seeds

    def change(self, mixture: Mixture, values: Values, seed: Any) -> Mixture:
        """Inside a graph: the changed pictures."""
        del values
        self._seeds.begin(seed)
        features = mixture.features
        if self._within is None:
            return mixture.changed(self._layer(features, training=True))
        lowest, highest = self._within
        inside = (features - lowest) / (highest - lowest)
        changed = self._layer(inside, training=True)
        return mixture.changed(changed * (highest - lowest) + lowest)
