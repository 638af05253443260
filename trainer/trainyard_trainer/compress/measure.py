"""What a model costs and how good it is, on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_api.status import Measured
from trainyard_trainer.compress.conversion import Rows
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.compress.size import bytes_for
from trainyard_trainer.compress.timing import microseconds
from trainyard_trainer.data import Part
from trainyard_trainer.data.prepared import Prepared
from trainyard_trainer.errors import InvalidResult
from trainyard_trainer.tasks import Task, task_of

BATCH: Final = 32
"""Rows of a batch, for throughput."""

_ROWS_AT_ONCE: Final = 256
_SIGNATURE: Final = "serving_default"


@dataclass(frozen=True)
class HeldOut:
    """Rows that took no part in training or conversion, at least one, and how answers are judged.

    Attributes:
        task: its main metric is what is called accuracy here.
    """

    part: Part
    task: Task

    @classmethod
    def of(cls, prepared: Prepared, training: Training) -> HeldOut:
        """The test part, judged as its task judges."""
        task = task_of(prepared.target, training, prepared.representative.targets)
        return cls(prepared.test, task)

    def score(self, answers: NDArray[np.float32]) -> float:
        """The task's main metric, rounded to what is worth telling."""
        name = self.task.main_metric
        return round(self.task.evaluate([name], self.part.targets, answers)[name], 6)

    def rows(self, start: int, end: int) -> Rows:
        """Some of the rows, float32."""
        places = np.arange(start, min(end, len(self.part)), dtype=np.int64)
        return self.part.take(places).features.astype(np.float32)


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
    try:
        answer = predict(row)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} does not take float32 rows of shape "
            f"{row.shape[1:]} as the data set has them ({str(error)[:300]})"
        ) from error
    if answer.ndim != 2 or len(answer) != 1:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} has to answer with a number for each class, of "
            f"shape (rows, classes); for 1 row it answers with shape {answer.shape}"
        )
    if answer.shape[1] != held_out.task.outputs:
        raise InvalidResult(
            f"{folder}: its signature {_SIGNATURE} answers a row with {answer.shape[1]} numbers, "
            f"and the data set has {held_out.task.outputs} to tell; number the classes from 0, in "
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
