"""A variational autoencoder (Kingma and Welling, 2014) of flat rows.

With a condition (Sohn, Lee and Yan, 2015) it learns what rows of each class are like, and shares
between the classes what they have in common. Its last part alone makes rows of what is drawn from
the prior, a standard normal distribution.
"""

from __future__ import annotations

from typing import Any, Final

import keras

from trainyard_api.spec import Regularization
from trainyard_api.spec.model import Vae
from trainyard_trainer.models.hidden import Hidden

DECODER: Final = "decoder"
"""Name of the part of the model that makes rows: of latents, or of [latents, condition]."""
PLAIN: Final = Hidden("relu", Regularization(), synchronized=True)
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
    mean, log_variance = encoded(spec, keras.layers.Concatenate()([rows, kind]), PLAIN)
    latent = Sampling(name="sampling")(mean, log_variance)
    decoder = decoder_of(spec, width, numbers, PLAIN, condition)
    return keras.Model([rows, kind], [mean, log_variance, decoder([latent, kind])], name="vae")


def encoded(spec: Vae, rows: Any, hidden: Hidden) -> tuple[Any, Any]:
    """Latent means and the logarithms of latent variances, (batch, latents) each."""
    last = hidden.dense_layers(rows, spec.units, "encoder")
    mean, log_variance = (
        keras.layers.Dense(
            spec.latentDimensions,
            kernel_regularizer=hidden.regularizer(),
            dtype="float32",
            name=name,
        )(last)
        for name in ("latent_mean", "latent_log_variance")
    )
    return mean, log_variance


def decoder_of(
    spec: Vae, width: int, numbers: int, hidden: Hidden, condition: int = 0
) -> keras.Model:
    """The part that makes rows, with a second input where there is a condition."""
    latent = keras.Input((spec.latentDimensions,), name="latent")
    inputs = [latent]
    if condition:
        inputs.append(keras.Input((condition,), name="condition"))
    joined = keras.layers.Concatenate()(inputs) if condition else latent
    last = hidden.dense_layers(joined, spec.units[::-1], "decoder")
    rebuilt = keras.layers.Dense(
        width, kernel_regularizer=hidden.regularizer(), dtype="float32", name="rebuilt"
    )(last)
    if numbers:
        both = [rebuilt, _variances(rebuilt, numbers)]
        rebuilt = keras.layers.Concatenate(dtype="float32")(both)
    return keras.Model(inputs if condition else latent, rebuilt, name=DECODER)


def _variances(rows: Any, numbers: int) -> Any:
    """The logarithms of learned variances, alike in all rows of a batch: (batch, numbers).

    They are the bias of a layer that is given nothing, since whatever is exported has to load
    without a layer of our own.
    """
    nothing = keras.ops.zeros_like(rows[:, :1])
    raw = keras.layers.Dense(
        numbers, kernel_initializer="zeros", dtype="float32", name="log_variances"
    )(nothing)
    return _LEAST + keras.ops.softplus(raw - _LEAST)
