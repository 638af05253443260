"""Noise on numbers of any unit."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainyard_trainer.augmentation.layer import at_least_zero
from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.augmentation.values import Values


class GaussianNoise:
    """Adds normally distributed numbers.

    Keras' layer of that name does so in the unit of its input. Here it is the standard deviation
    of the column or channel in the training part, so that `stddev` means the same for bytes, for
    grams and for tonnes. Categories, texts and truth values have none, and stay as they are.
    """

    def __init__(self, stddev: float) -> None:
        """Args:
        stddev: of the noise, in standard deviations of each column or channel.

        Raises:
            ValueError: it is no number of at least 0.
        """
        self._stddev = at_least_zero("stddev", stddev)

    def change(self, mixture: Mixture, values: Values, seed: Any) -> Mixture:
        """Inside a graph: the rows with noise."""
        features = mixture.features
        noise = tf.random.stateless_normal(tf.shape(features), seed)
        return mixture.changed(features + self._stddev * values.spread * noise)
