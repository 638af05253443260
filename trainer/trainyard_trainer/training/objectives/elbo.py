"""What a variational autoencoder makes small: the negative evidence lower bound.

Kingma and Welling, Auto-Encoding Variational Bayes (2014). The variances of numbers are learned, so
that their noise and the latents' information are weighed by the data, not by hand (Rybkin,
Daniilidis and Levine, 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.generation.layout import Layout
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.tasks import likelihood
from trainyard_trainer.training.objectives.objective import Computed


class NegativeElbo:
    """Of rows, under the condition of their class."""

    def __init__(self, layout: Layout, classes: int, beta: float) -> None:
        """Args:
        layout: of a row.
        classes: how many there are.
        beta: weight of the KL divergence (Higgins et al., 2017); 1 is the bound itself.
        """
        self._layout = layout
        self._classes = classes
        self._beta = beta

    @property
    def measures(self) -> tuple[str, ...]:
        """How unlikely the row is by what is decoded, and how far its latents are from the prior:
        both in nats.
        """
        return ("reconstruction", "kl")

    def compute(self, model: keras.Model, features: Any, targets: Any, training: bool) -> Computed:
        """The bound of each row by one draw of its latents."""
        condition = keras.ops.one_hot(targets, self._classes)
        mean, log_variance, decoded = model([features, condition], training=training)
        reconstruction = likelihood.surprise(self._layout, features, decoded)
        kl = likelihood.divergence(mean, log_variance)
        return Computed(reconstruction + self._beta * kl, (reconstruction, kl))

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """Both measures."""
        return dict(means)

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """All alike: rare classes take from common ones what rows have in common."""
        return np.ones(len(targets), np.float32)
