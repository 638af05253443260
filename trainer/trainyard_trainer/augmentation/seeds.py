"""Seeds of one step's random draws.

Keras' own generators count their draws in a variable, which a gang's replicas cannot write as
Keras makes it, and which would have to be saved for a restart. Here a draw's seed follows from the
step's seed and the number of the draw: nothing is kept, and a step draws the same again.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class StepSeeds(keras.random.SeedGenerator):
    """Takes the place of Keras' generator, without a variable."""

    def __init__(self, seed: Any = None) -> None:
        """Args:
        seed: of the draws, int32 (2,); None: `begin` gives it.
        """
        # Keras' own __init__ is left out: it would make the variable.
        self.begin(seed)

    def begin(self, seed: Any) -> None:
        """Inside a graph: the draws that follow are of this seed, int32 (2,)."""
        self._seed = seed
        self._drawn = 0

    def next(self, ordered: bool = True) -> Any:
        """The seed of the next draw, int32 (2,)."""
        del ordered
        self._drawn += 1
        return folded(self._seed, self._drawn)


def folded(seed: Any, number: Any) -> Any:
    """A seed that has nothing in common with those of other numbers, int32 (2,)."""
    return tf.random.experimental.stateless_fold_in(seed, number)
