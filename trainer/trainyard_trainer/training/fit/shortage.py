"""Memory that is too small for the model, told before anything was learned.

A model that does not fit into memory when it is built, or in its first step, will not fit in the
next attempt either. What fails later has fitted before: something else took the memory, and
another attempt may find it free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import tensorflow as tf

from trainyard_trainer.errors import InvalidSpec

BUILDING: Final = "spec.model: the model, with its optimizer's state,"
FIRST_STEP: Final = "spec.training.batchSize: the first step"

_SIGNS: Final = re.compile(r"\boom\b|memory|alloc", re.IGNORECASE)
"""Of memory: what is exhausted may also be the length of a message between workers."""
_TENSOR: Final = re.compile(r"OOM when allocating tensor with shape\s*\[[^\]]*\](?: and type \w+)?")
_LONGEST: Final = 200
_CURES: Final = {
    BUILDING: "make its layers smaller",
    FIRST_STEP: "make the batch smaller, or the layers of spec.model",
}


@contextmanager
def must_fit(what: str) -> Iterator[None]:
    """Turn what is raised where memory is too small into InvalidSpec.

    Args:
        what: BUILDING or FIRST_STEP.

    Raises:
        InvalidSpec: there is too little memory for what is done inside.
    """
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        if isinstance(error, tf.errors.OpError) and not _SIGNS.search(error.message):
            raise
        raise InvalidSpec(
            f"{what} needs more memory than there is ({_essence(error)}); {_CURES[what]}, or give "
            "spec.workers.resources more memory"
        ) from error


def _essence(error: Exception) -> str:
    """What of a message tells the size; TensorFlow's goes on with the graph's origin."""
    text = str(error) or type(error).__name__
    found = _TENSOR.search(text)
    return found[0] if found else text.strip().splitlines()[0][:_LONGEST]
