"""MixUp and CutMix: rows that are made of two."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from trainyard_trainer.augmentation.layer import at_least_zero
from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.augmentation.seeds import StepSeeds
from trainyard_trainer.augmentation.values import Values


class MixUp:
    """The mean of two rows, with a weight of its own for each pair.

    Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018.
    """

    def __init__(self, alpha: float = 0.2) -> None:
        """Args:
        alpha: the weight is of the distribution Beta(alpha, alpha): near 0 or 1 where alpha is
            small, anything between alike where it is 1.

        Raises:
            ValueError: it is no number above 0.
        """
        self._alpha = _above_zero(alpha)

    def change(self, mixture: Mixture, values: Values, seed: Any) -> Mixture:
        """Inside a graph: the mixed rows. What is missing in the other row is not mixed in."""
        seeds = StepSeeds(seed)
        features = mixture.features
        partners = _partners(mixture.weights, seeds)
        fraction = _fraction(mixture, self._alpha, seeds)
        others = tf.gather(features, partners)
        if values.may_be_missing:
            others = tf.where(tf.math.is_nan(others), features, others)
        own = tf.reshape(fraction, [-1] + [1] * (len(features.shape) - 1))
        return mixture.mixed(own * features + (1.0 - own) * others, fraction, partners)


class CutMix:
    """A picture with a rectangle of another one in it.

    Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features, 2019: the rectangle has the picture's proportions and lies anywhere, also across the
    edge; what counts is the area that is left of it.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        """Args:
        alpha: the share of the picture that is kept is of the distribution Beta(alpha, alpha),
            before the rectangle is cut at the edges.

        Raises:
            ValueError: it is no number above 0.
        """
        self._alpha = _above_zero(alpha)

    def change(self, mixture: Mixture, values: Values, seed: Any) -> Mixture:
        """Inside a graph: the mixed pictures."""
        del values
        seeds = StepSeeds(seed)
        features = mixture.features
        partners = _partners(mixture.weights, seeds)
        side = tf.sqrt(1.0 - _fraction(mixture, self._alpha, seeds))
        height, width = features.shape[1:3]
        within = tf.logical_and(
            _stretch(side, height, seeds)[:, :, tf.newaxis],
            _stretch(side, width, seeds)[:, tf.newaxis, :],
        )
        kept = 1.0 - tf.reduce_mean(tf.cast(within, tf.float32), axis=(1, 2))
        pasted = tf.where(within[..., tf.newaxis], tf.gather(features, partners), features)
        return mixture.mixed(pasted, kept, partners)


def _above_zero(alpha: Any) -> float:
    if not at_least_zero("alpha", alpha):
        raise ValueError("alpha should be above 0: with 0 nothing is mixed")
    return float(alpha)


def _partners(weights: Any, seeds: StepSeeds) -> Any:
    """For each row the number of another one, int32 (rows,).

    Rows that only fill the shape are nobody's partner: what came of them would not be learned.
    """
    count = tf.shape(weights)[0]
    real = tf.cast(tf.where(weights > 0.0), tf.int32)
    shuffled = tf.squeeze(keras.random.shuffle(real, seed=seeds), axis=1)
    return tf.tensor_scatter_nd_update(tf.range(count), real, shuffled)


def _fraction(mixture: Mixture, alpha: float, seeds: StepSeeds) -> Any:
    """A number between 0 and 1 for each row, of the distribution Beta(alpha, alpha)."""
    return keras.random.beta(tf.shape(mixture.weights), alpha, alpha, dtype="float32", seed=seeds)


def _stretch(side: Any, length: int, seeds: StepSeeds) -> Any:
    """Which pixels of one dimension a rectangle covers, bool (rows, length).

    Args:
        side: of the rectangle, as a share of `length`, (rows,).
    """
    middle = length * keras.random.uniform(tf.shape(side), seed=seeds)
    pixels = tf.range(length, dtype=tf.float32) + 0.5
    return tf.abs(pixels - middle[:, tf.newaxis]) < side[:, tf.newaxis] * length / 2.0
