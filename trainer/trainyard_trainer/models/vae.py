"""A variational autoencoder (Kingma and Welling, 2014) of flat rows.

With a condition (Sohn, Lee and Yan, 2015) it learns what rows of each class are like, and shares
between the classes what they have in common. Its last part alone makes rows of what is drawn from
the prior, a standard normal distribution.
"""

from __future__ import annotations

from typing import Any, Final

import keras

from trainyard_api.spec.model import Vae

DECODER: Final = "decoder"
"""Name of the part of the model that makes rows: of [latents, condition]."""
_LEAST: Final = -7.0
"""Of the logarithm of a variance: without a bound the likelihood of a number that is easily told
has none either.
"""


class Sampling(keras.layers.Layer):
    """Draws from normal distributions so that gradients reach their means and variances."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._seeds = keras.random.SeedGenerator()

    def call(self, mean: Any, log_variance: Any, training: bool = False) -> Any:
        """A value of each distribution, (batch, latents); the mean where nothing is trained."""
        if not training:
            return mean
        noise = keras.random.normal(keras.ops.shape(mean), seed=self._seeds)
        return mean + keras.ops.exp(0.5 * log_variance) * noise


class Variances(keras.layers.Layer):
    """The logarithms of learned variances, one for each number whatever the row."""

    def __init__(self, numbers: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._raw = self.add_weight(shape=(numbers,), initializer="zeros", name="log_variances")

    def call(self, inputs: Any) -> Any:
        """Those of all rows of a batch, (batch, numbers)."""
        bounded = _LEAST + keras.ops.softplus(self._raw - _LEAST)
        rows = keras.ops.shape(inputs)[0]
        return keras.ops.broadcast_to(bounded, (rows, bounded.shape[0]))


def build(spec: Vae, width: int, numbers: int, condition: int) -> keras.Model:
    """A model of [rows, condition] to [latent means, logarithms of latent variances, decoded rows].

    A decoded row has what is rebuilt of a row, without an activation, and behind it the logarithm
    of the variance of each number: (batch, width + numbers).

    Args:
        width: of a row.
        numbers: how many of its first places are numbers with a variance.
        condition: how many numbers say what kind a row is of.
    """
    rows = keras.Input((width,), name="rows")
    kind = keras.Input((condition,), name="condition")
    last = _hidden(keras.layers.Concatenate()([rows, kind]), spec.units, "encoder")
    mean = keras.layers.Dense(spec.latentDimensions, name="latent_mean")(last)
    log_variance = keras.layers.Dense(spec.latentDimensions, name="latent_log_variance")(last)
    latent = Sampling(name="sampling")(mean, log_variance)
    decoder = _decoder(spec, width, numbers, condition)
    return keras.Model([rows, kind], [mean, log_variance, decoder([latent, kind])], name="vae")


def _decoder(spec: Vae, width: int, numbers: int, condition: int) -> keras.Model:
    latent = keras.Input((spec.latentDimensions,), name="latent")
    kind = keras.Input((condition,), name="condition")
    joined = keras.layers.Concatenate()([latent, kind])
    last = _hidden(joined, spec.units[::-1], "decoder")
    rebuilt = keras.layers.Dense(width, name="rebuilt")(last)
    if numbers:
        variances = Variances(numbers, name="variances")(rebuilt)
        rebuilt = keras.layers.Concatenate()([rebuilt, variances])
    return keras.Model([latent, kind], rebuilt, name=DECODER)


def _hidden(last: Any, units: list[int], name: str) -> Any:
    for index, width in enumerate(units):
        last = keras.layers.Dense(width, activation="relu", name=f"{name}_{index}")(last)
    return last
