"""What a training makes small, and what it counts meanwhile.

A task's objective compares answers with targets. Others may come beside it (a student that
follows a teacher, a model that rebuilds its own input) without a change to the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.tasks import Task


@dataclass(frozen=True)
class Computed:
    """What a model makes of some rows, inside a graph.

    Attributes:
        losses: of each row, (rows,).
        measures: for each name of the objective's `measures`, a number of each row, (rows,).
    """

    losses: Any
    measures: tuple[Any, ...]


class Objective(Protocol):
    """A loss of rows, and names of what is counted beside it."""

    @property
    def measures(self) -> tuple[str, ...]: ...

    def compute(self, model: keras.Model, features: Any, targets: Any, training: bool) -> Computed:
        """Inside a graph: the model's losses on rows.

        Args:
            features: float32 (rows, *row).
            targets: as the data's part has them.
            training: whether dropout and the like are on.
        """

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """What is shown of the rows' means of `measures`."""

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """How much each row counts in the loss, (rows,)."""


class Supervised:
    """A task's own loss."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def measures(self) -> tuple[str, ...]:
        """The task's."""
        return self._task.measures

    def compute(self, model: keras.Model, features: Any, targets: Any, training: bool) -> Computed:
        """The task's loss of the model's answers."""
        outputs = model(features, training=training)
        return Computed(self._task.losses(targets, outputs), self._task.measure(targets, outputs))

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """As the task shows it."""
        return self._task.progress(means)

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """As the task weighs them."""
        return self._task.row_weights(targets)


def compute_mixed(
    objective: Objective, model: keras.Model, mixture: Mixture, targets: Any
) -> Computed:
    """Inside a graph: what an objective makes of rows that may each be made of several.

    Losses and measures are those for the targets of all rows that a row was made of, weighted by
    how much of each is in it. The model answers once.

    Args:
        targets: of the rows before they were mixed.

    Returns:
        Losses times the weight of the row that each target belongs to.
    """
    features = mixture.features
    outputs = model(features, training=True)

    def answered(_: Any, training: bool) -> Any:
        del training
        return outputs

    shares = mixture.shares
    each = [objective.compute(answered, features, share.of(targets), True) for share in shares]
    losses = [
        share.fraction * share.of(mixture.weights) * computed.losses
        for share, computed in zip(shares, each, strict=True)
    ]
    measures = [
        [share.fraction * measure for measure in computed.measures]
        for share, computed in zip(shares, each, strict=True)
    ]
    return Computed(tf.add_n(losses), tuple(map(tf.add_n, zip(*measures, strict=True))))
