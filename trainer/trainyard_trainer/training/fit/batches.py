"""Which rows each step learns from.

Every step's batch is a row of a matrix of row numbers, the same on all workers; each replica
takes its own columns. The order follows from seed and epoch alone, so that a restart goes on
with exactly the rows that would have come next, with any number of workers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matrix:
    """Batches of rows.

    Attributes:
        rows: row numbers, int32 [steps, width].
        weights: float32 [steps, width]; 0 marks a place that only fills the shape.
    """

    rows: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def cut(self, first: int, count: int) -> Matrix:
        """`count` batches from the one numbered `first`."""
        return Matrix(self.rows[first : first + count], self.weights[first : first + count])


@dataclass(frozen=True)
class Stretch:
    """Steps that one call makes, all of one epoch.

    Attributes:
        epoch: from 0.
        first: number of the first step, from 0, over the whole training.
        steps: how many.
    """

    epoch: int
    first: int
    steps: int

    @property
    def end(self) -> int:
        """Number of the step that comes after."""
        return self.first + self.steps


@dataclass(frozen=True)
class Batches:
    """How `rows` examples are cut into steps of `batch`, for `replicas` replicas."""

    rows: int
    batch: int
    replicas: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every row occurs once."""
        return math.ceil(self.rows / min(self.batch, self.rows))

    def cut(self, stretch: Stretch) -> Matrix:
        """The batches of consecutive steps."""
        first = stretch.first - stretch.epoch * self.steps_per_epoch
        return _of_epoch(self, stretch.epoch).cut(first, stretch.steps)

    def of_epoch(self, epoch: int) -> Matrix:
        """The shuffled batches of an epoch, counted from 0."""
        # In the type in which it is kept: of many rows, a wider one would be the largest there is.
        rows = np.arange(self.rows, dtype=np.int32)
        order = np.random.default_rng([self.seed, epoch]).permutation(rows)
        return arrange(order, min(self.batch, self.rows), self.replicas)


@lru_cache(maxsize=2)
def _of_epoch(batches: Batches, epoch: int) -> Matrix:
    """The matrix of the epoch that is being trained, and of the one that comes next."""
    return batches.of_epoch(epoch)


def arrange(order: NDArray[np.integer], batch: int, replicas: int) -> Matrix:
    """Row numbers as batches whose width the replicas can share evenly.

    The places that are left over are filled with other rows of weight 0. They are real rows,
    because batch normalisation takes its statistics from all of them.
    """
    steps, count = math.ceil(len(order) / batch), len(order)
    rows, weights = np.empty(steps * batch, np.int32), np.ones(steps * batch, np.float32)
    rows[:count], rows[count:] = order, np.resize(order, len(rows) - count)
    weights[count:] = 0.0
    matrix = Matrix(rows.reshape(steps, batch), weights.reshape(steps, batch))
    if batch % replicas == 0:
        return matrix
    beside = ((0, 0), (0, -batch % replicas))
    return Matrix(np.pad(matrix.rows, beside, mode="wrap"), np.pad(matrix.weights, beside))
