"""Dropout that a restart repeats, and that differs between replicas.

Keras keeps a random layer's seed and counter in a variable. Under a strategy that variable
cannot be written by the replicas as Keras makes it, so it is made as one that each replica
has for itself, and every step sets it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import keras
import tensorflow as tf

_STATE: Final = "seed_generator_state"


def is_seed(variable: Any) -> bool:
    """Whether a Keras variable is the state of a random layer."""
    return str(variable.path).endswith(_STATE)


@contextmanager
def seeds_of_replicas() -> Iterator[None]:
    """Models made in here keep a random state for each replica."""

    def create(next_creator: Callable[..., Any], **arguments: Any) -> Any:
        if _STATE in (arguments.get("name") or ""):
            arguments["synchronization"] = tf.VariableSynchronization.ON_READ
            arguments["aggregation"] = tf.VariableAggregation.ONLY_FIRST_REPLICA
        return next_creator(**arguments)

    with tf.variable_creator_scope(create):
        yield


class Randomness:
    """The random states of a model's layers, and seeds for what keeps no state."""

    def __init__(self, model: keras.Model, seed: int) -> None:
        self._states = [v for v in model.variables if is_seed(v)]
        self._seed = seed

    @property
    def is_drawn(self) -> bool:
        """Whether the model has layers that draw random numbers."""
        return bool(self._states)

    def set(self, step: Any) -> None:
        """Inside a replica: make the states those of seed, layer, replica and `step` (int64)."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        for layer, state in enumerate(self._states):
            begin = tf.cast(self._seed * 1_000_003 + layer * 10_007 + replica, tf.int64)
            state.value.assign(tf.cast(tf.stack([begin, step]), state.value.dtype))

    def seed(self, step: Any) -> Any:
        """Inside a replica: a seed of its own for `step` (int64), int32 (2,)."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        fold_in = tf.random.experimental.stateless_fold_in
        return fold_in(fold_in(tf.constant([self._seed, 0], tf.int32), replica), step)
