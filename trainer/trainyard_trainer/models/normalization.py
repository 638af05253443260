"""Batch normalisation of a gang: by the moments of the whole batch, or of each replica's part.

Of the whole batch, any number of workers learn the same; that costs a reduction over the gang in
every layer, forward and back. Of its own part alone, a replica waits for nobody, and beyond some
thirty rows the noise of its moments does no harm (Wu and He, Group Normalization, 2018: the error
of a batch normalised network is flat from 32 rows upward).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal

import keras
import tensorflow as tf

Synchronized = Literal["auto", "always", "never"]

ENOUGH_ROWS: Final = 32
"""Rows of a replica from which on its own moments do."""


def is_synchronized(wanted: Synchronized, batch: int, replicas: int) -> bool:
    """Whether moments are those of the whole batch.

    Args:
        batch: rows of a step, over all replicas.
    """
    if replicas == 1 or wanted != "auto":
        return wanted != "never"
    return batch // replicas < ENOUGH_ROWS


def batch_normalization(synchronized: bool, name: str) -> keras.layers.Layer:
    """Keras' layer. Its moments over replicas take one reduction: Keras' own takes three, and as
    many back.

    Nothing of that is exported: what normalises then are moving averages.
    """
    layer = keras.layers.BatchNormalization(synchronized=synchronized, name=name)
    if synchronized:
        layer._moments = partial(_moments, layer)
    return layer


def _moments(layer: keras.layers.BatchNormalization, inputs: Any, mask: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel over the rows of all replicas, in float32.

    Sums are of what is left when the moving mean is taken off, which all replicas have alike:
    squares of large numbers would leave nothing of a small variance.
    """
    del mask
    axes = layer._reduction_axes
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tf.nn.moments(inputs, axes)
    shift = tf.stop_gradient(tf.cast(layer.moving_mean.value, inputs.dtype))
    rest = inputs - shift
    places = tf.cast(tf.size(rest[..., 0]), inputs.dtype)
    sums = tf.stack(
        [tf.reduce_sum(rest, axes) / places, tf.reduce_sum(tf.square(rest), axes) / places]
    )
    mean, square = tf.unstack(context.all_reduce(tf.distribute.ReduceOp.MEAN, sums))
    return shift + mean, tf.maximum(square - tf.square(mean), 0.0)
