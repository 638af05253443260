"""What a model costs and how good it is, on held-out rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.status import Measured
from trainyard_trainer.compress.conversion import Rows
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.compress.timing import microseconds
from trainyard_trainer.data import Part
from trainyard_trainer.errors import InvalidResult

BATCH: Final = 32
"""Rows of a batch, for throughput."""

_ROWS_AT_ONCE: Final = 256
_SIGNATURE: Final = "serving_default"


def measure_litert(content: bytes, held_out: Part) -> Measured:
    """A .tflite file, run by LiteRT on one thread.

    Args:
        content: the file.
        held_out: rows that took no part in training or conversion; at least one.

    Raises:
        ValueError, RuntimeError: LiteRT cannot load or run it.
    """
    single, batched = LiteModel(content, 1), LiteModel(content, BATCH)
    row = _float32(held_out, 0, 1)
    batch = np.resize(_float32(held_out, 0, BATCH), (BATCH, *row.shape[1:]))
    # Whole batches, then the rest row by row.
    whole = len(held_out) - len(held_out) % BATCH
    right = _count_right(batched.predict, held_out, 0, whole, BATCH)
    right += _count_right(single.predict, held_out, whole, len(held_out), 1)
    return Measured(
        bytes=len(content),
        accuracy=round(right / len(held_out), 6),
        latencyMicroseconds=round(microseconds(lambda: single.predict(row)), 1),
        throughput=round(BATCH * 1e6 / microseconds(lambda: batched.predict(batch)), 1),
    )


def measure_saved_model(folder: Path, held_out: Part) -> Measured:
    """The original, run by TensorFlow through its serving signature.

    Args:
        folder: of the SavedModel, whose digest was checked.
        held_out: the same rows as for the candidates; at least one.

    Raises:
        InvalidResult: it does not answer rows of this data set.
    """
    predict = _signature_of(folder)
    row = _float32(held_out, 0, 1)
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
    batch = np.resize(_float32(held_out, 0, BATCH), (BATCH, *row.shape[1:]))
    right = _count_right(predict, held_out, 0, len(held_out), _ROWS_AT_ONCE)
    return Measured(
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        accuracy=round(right / len(held_out), 6),
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


def _count_right(
    predict: Callable[[Rows], NDArray[np.float32]], part: Part, first: int, last: int, batch: int
) -> int:
    """How many of the rows from `first` up to `last` are given their own class."""
    right = 0
    for start in range(first, last, batch):
        end = min(start + batch, last)
        predicted = predict(_float32(part, start, end)).argmax(axis=-1)
        right += int((predicted == part.labels[start:end]).sum())
    return right


def _float32(part: Part, start: int, end: int) -> Rows:
    return part.features[start:end].astype(np.float32)
