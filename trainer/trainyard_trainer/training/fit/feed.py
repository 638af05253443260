"""From row numbers to what a call of the graph takes, prepared while the call before runs.

A worker takes those columns of a batch that its own replicas learn from, and no others. Rows are
gathered into memory that TensorFlow reads as it is: nothing lies in this process twice but what
the calls before and after need.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_trainer.data.memory import aligned, is_aligned
from trainyard_trainer.data.rows import Part, Targets
from trainyard_trainer.training.fit.batches import Matrix
from trainyard_trainer.training.gang import Gang

CALL_BYTES: Final = 64 * 2**20
"""What one call may take of features, in bytes; two calls are in memory at a time."""


@dataclass(frozen=True)
class Fed:
    """What the steps of one call learn from, for this worker's replicas.

    Attributes:
        features: tensor (steps, width, *row), in the type of the data's source.
        targets: tensor (steps, width) or (steps, width, outputs).
        counted: float32 (steps, width); 0 marks a place that only fills the shape.
        weights: float32 (steps, width): `counted`, times the weight of the row in the loss.
        rows: float32 (steps,): how many rows count in the whole batch, of all workers.
    """

    features: Any
    targets: Any
    counted: Any
    weights: Any
    rows: Any

    def tensors(self) -> tuple[Any, ...]:
        """All of them, in the order in which the graph takes them."""
        return (self.features, self.targets, self.counted, self.weights, self.rows)


class Feed:
    """Takes rows of a part for this worker's replicas."""

    def __init__(
        self, gang: Gang, part: Part, row_weights: Callable[[Targets], NDArray[np.float32]]
    ) -> None:
        """Args:
        row_weights: of targets, the weight of each in the loss.
        """
        self._gang = gang
        self._part = part
        self._row_weights = row_weights

    def most_steps(self, batch: int) -> int:
        """How many steps of so many rows one call may take at most."""
        own = math.ceil(batch / self._gang.workers)
        return max(1, CALL_BYTES // max(1, own * self._part.row_bytes))

    def signature(self) -> list[tf.TensorSpec]:
        """What the graph is given."""
        part, targets = self._part, self._part.targets
        return [
            tf.TensorSpec((None, None, *part.shape), part.source.dtype),
            tf.TensorSpec((None, None, *targets.shape[1:]), targets.dtype),
            tf.TensorSpec((None, None), tf.float32),
            tf.TensorSpec((None, None), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]

    def take(self, matrix: Matrix) -> Fed:
        """What the steps of `matrix` take."""
        columns = self._gang.columns(matrix.rows.shape[1])
        places = matrix.rows[:, columns].astype(np.int64)
        counted = np.ascontiguousarray(matrix.weights[:, columns])
        rows = self._part.take(places.ravel())
        targets = rows.targets.reshape(*places.shape, *rows.targets.shape[1:])
        weights = counted * self._row_weights(rows.targets).reshape(places.shape)
        return Fed(
            lend(rows.features.reshape(*places.shape, *rows.features.shape[1:])),
            lend(targets),
            lend(counted),
            lend(weights),
            lend(matrix.weights.sum(axis=1)),
        )


def lend(array: NDArray[Any]) -> Any:
    """A tensor over the array's own memory where that can be, a copy's else.

    The array must not be written to any more.
    """
    if not is_aligned(array):
        copy = aligned(array.shape, array.dtype)
        copy[...] = array
        array = copy
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


class Ahead:
    """Prepares what the next call will take, in a thread of its own.

    Attributes:
        waited: seconds that calls had to wait for their rows, in all.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._next: Future[Fed] | None = None
        self.waited = 0.0

    def prepare(self, plan: Callable[[], Matrix]) -> None:
        """Begin to take the rows of a plan, which is made in the same thread."""
        self._next = self._thread.submit(lambda: self._feed.take(plan()))

    def take(self) -> Fed:
        """What was prepared last, as soon as it is there.

        Raises:
            TrainerError: the rows cannot be had any more.
        """
        assert self._next is not None, "prepare() comes before take()"
        begun = time.monotonic()
        fed = self._next.result()
        self.waited += time.monotonic() - begun
        return fed

    def close(self) -> None:
        """End the thread; what it prepares is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
