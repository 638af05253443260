"""What a model costs and how good it is, on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_api.status import Measured
from trainyard_trainer.compress.agreement import Agreement
from trainyard_trainer.compress.conversion import Rows
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.compress.size import bytes_for
from trainyard_trainer.compress.timing import microseconds
from trainyard_trainer.data import Part
from trainyard_trainer.data.prepared import Prepared
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import Rebuilding
from trainyard_trainer.errors import InvalidResult
from trainyard_trainer.tasks import task_of
from trainyard_trainer.tasks.task import Outputs

BATCH: Final = 32
"""Rows of a batch, for throughput."""

_ROWS_AT_ONCE: Final = 256
_SIGNATURE: Final = "serving_default"


class Judge(Protocol):
    """Says how good answers are; a task does."""

    @property
    def outputs(self) -> int:
        """How many numbers a row's answer has."""

    @property
    def main_metric(self) -> str:
        """Of which more is better."""

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for."""


@dataclass(frozen=True)
class HeldOut:
    """Rows that took no part in training or conversion, at least one, and how answers are judged.

    Attributes:
        judge: its main metric is what is called accuracy here.
    """

    part: Part
    judge: Judge

    @classmethod
    def of(cls, prepared: Prepared, training: Training, saved_model: Path) -> HeldOut:
        """The test part, judged as its task judges; where rows are rebuilt, by the original.

        Args:
            saved_model: folder of the original.

        Raises:
            InvalidResult: it does not answer rows of this data set.
        """
        target = prepared.target
        if isinstance(target, Rebuilding):
            return cls(prepared.test, _agreement(saved_model, prepared.test))
        return cls(prepared.test, task_of(target, training, prepared.representative.targets))

    def score(self, answers: NDArray[np.float32]) -> float:
        """The judge's main metric, rounded to what is worth telling."""
        name = self.judge.main_metric
        return round(self.judge.evaluate([name], self.part.targets, answers)[name], 6)

    def rows(self, start: int, end: int) -> Rows:
        """Some of the rows, float32."""
        return _rows(self.part, start, end)


def _rows(part: Part, start: int, end: int) -> Rows:
    places = np.arange(start, min(end, len(part)), dtype=np.int64)
    return part.take(places).features.astype(np.float32)


def _agreement(saved_model: Path, part: Part) -> Agreement:
    predict = _signature_of(saved_model)
    pieces = range(0, len(part), _ROWS_AT_ONCE)
    answers = [
        _asked(predict, saved_model, _rows(part, first, first + _ROWS_AT_ONCE)) for first in pieces
    ]
    return Agreement(np.concatenate(answers))


def measure_litert(content: bytes, held_out: HeldOut) -> Measured:
    """A .tflite file, run by LiteRT on one thread.

    Args:
        content: the file.

    Raises:
        ValueError, RuntimeError: LiteRT cannot load or run it.
    """
    single, batched = LiteModel(content, 1), LiteModel(content, BATCH)
    row = held_out.rows(0, 1)
    batch = np.resize(held_out.rows(0, BATCH), (BATCH, *row.shape[1:]))
    # Whole batches, then the rest row by row.
    rows = len(held_out.part)
    whole = rows - rows % BATCH
    answers = [
        *_answers(batched.predict, held_out, 0, whole, BATCH),
        *_answers(single.predict, held_out, whole, rows, 1),
    ]
    return Measured(
        bytes=len(content),
        accuracy=held_out.score(np.concatenate(answers)),
        latencyMicroseconds=round(microseconds(lambda: single.predict(row)), 1),
        throughput=round(BATCH * 1e6 / microseconds(lambda: batched.predict(batch)), 1),
    )


def measure_saved_model(folder: Path, held_out: HeldOut) -> Measured:
    """The original, run by TensorFlow through its serving signature.

    Args:
        folder: of the SavedModel, whose digest was checked.
        held_out: the same rows as for the candidates.

    Raises:
        InvalidResult: it does not answer rows of this data set.
    """
    predict = _signature_of(folder)
    row = held_out.rows(0, 1)
    answer = _asked(predict, folder, row)
    if answer.ndim != 2 or len(answer) != 1:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} has to answer with a number for each class, of "
            f"shape (rows, classes); for 1 row it answers with shape {answer.shape}"
        )
    if answer.shape[1] != held_out.judge.outputs:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} answers a row with {answer.shape[1]} numbers, "
            f"and the data set has {held_out.judge.outputs} to tell; number the classes from 0, in "
            "the order of the labels"
        )
    batch = np.resize(held_out.rows(0, BATCH), (BATCH, *row.shape[1:]))
    answers = np.concatenate(
        list(_answers(predict, held_out, 0, len(held_out.part), _ROWS_AT_ONCE))
    )
    return Measured(
        bytes=bytes_for(folder, _SIGNATURE),
        accuracy=held_out.score(answers),
        latencyMicroseconds=round(microseconds(lambda: predict(row)), 1),
        throughput=round(BATCH * 1e6 / microseconds(lambda: predict(batch)), 1),
    )


def _asked(
    predict: Callable[[Rows], NDArray[np.float32]], folder: Path, rows: Rows
) -> NDArray[np.float32]:
    """The original's answer.

    Raises:
        InvalidResult: it does not take such rows.
    """
    try:
        return predict(rows)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} does not take float32 rows of shape "
            f"{rows.shape[1:]} as the data set has them ({str(error)[:300]})"
        ) from error


def _signature_of(folder: Path) -> Callable[[Rows], NDArray[np.float32]]:
    """What the original answers to rows.

    Raises:
        InvalidResult: it has no signature of one input and one output.
    """
    model = tf.saved_model.load(str(folder))
    signature = model.signatures.get(_SIGNATURE)
    inputs = [] if signature is None else list(signature.structured_input_signature[1])
    if len(inputs) != 1 or len(signature.structured_outputs) != 1:
        raise InvalidResult(
            f"{folder}: the SavedModel needs a signature {_SIGNATURE} with one input and one "
            "output, which is what gets compressed; it has the signatures "
            f"{', '.join(sorted(model.signatures)) or 'none'}. Write it with model.export(FOLDER)"
        )

    def predict(rows: Rows) -> NDArray[np.float32]:
        (output,) = signature(**{inputs[0]: tf.constant(rows)}).values()
        probabilities: NDArray[np.float32] = output.numpy()
        return probabilities

    return predict


def _answers(
    predict: Callable[[Rows], NDArray[np.float32]],
    held_out: HeldOut,
    first: int,
    last: int,
    batch: int,
) -> Iterator[NDArray[np.float32]]:
    """What a model answers to the rows from `first` up to `last`, a batch at a time."""
    for start in range(first, last, batch):
        yield predict(held_out.rows(start, min(start + batch, last)))
