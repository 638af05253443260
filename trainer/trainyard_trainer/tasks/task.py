"""What every task answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import MetricName, Training
from trainyard_trainer.data.rows import Targets

Outputs = NDArray[np.float32]
"""What a model gives for rows: shape (rows, outputs)."""


class Task(Protocol):
    """A kind of problem, with what it needs to know of one data set.

    Attributes:
        output: name of the model's output.
        outputs: how many numbers a row's answer has.
        measures: names of what is summed over rows beside the loss; see `measure`.
        main_metric: the metric that a model of this task is judged by; more of it is better.
        further_metrics: what can be told of this model on this data beside what the task always
            tells.
        learns_threshold: whether `threshold` has to see rows.
    """

    @property
    def output(self) -> str: ...

    @property
    def outputs(self) -> int: ...

    @property
    def measures(self) -> tuple[str, ...]: ...

    @property
    def main_metric(self) -> str: ...

    @property
    def further_metrics(self) -> tuple[MetricName, ...]: ...

    @property
    def learns_threshold(self) -> bool: ...

    def check(self, training: Training, metrics: Sequence[str]) -> None:
        """Make sure that the spec's loss, class weights and metrics fit.

        Raises:
            InvalidSpec: one of them does not.
        """

    def head(self, last: Any, regularizer: keras.regularizers.Regularizer | None) -> Any:
        """The model's output for what its body gives: (batch, outputs), float32."""

    def losses(self, targets: Any, outputs: Any) -> Any:
        """Inside a graph: the loss of each row, (rows,)."""

    def measure(self, targets: Any, outputs: Any) -> tuple[Any, ...]:
        """Inside a graph: for each name in `measures`, a number of each row, (rows,)."""

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """What is shown while it trains, from the rows' means of `measures`."""

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """How much each row counts in the loss, (rows,)."""

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for.

        Raises:
            InvalidSpec: one that the task does not have.
        """

    def answers(self, outputs: Outputs) -> Outputs:
        """What the exported model answers to rows for which the trained one gives `outputs`."""

    def threshold(self, outputs: Outputs) -> float | None:
        """What answers are compared with, if there is something.

        Args:
            outputs: to rows that took no part in training; may be empty unless `learns_threshold`.
        """


@runtime_checkable
class Finishing(Protocol):
    """A task whose model's last layer may be the author's own."""

    def finish(self, answer: Any) -> Any:
        """The model's output, as `Task.head` gives it.

        Args:
            answer: what the author's model gives, (batch, outputs).
        """

    def why_no_answer(self, answers: Outputs) -> str | None:
        """What is wrong with what the author's model gives for rows; None: nothing.

        Args:
            answers: finite numbers, (rows, outputs).
        """
