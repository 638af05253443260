"""What of a trained model others get: the model itself, or the part of it that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models.autoencoders.served import served
from trainyard_trainer.tasks import Task
from trainyard_trainer.tasks.reconstruction import Reconstruction

_AT_ONCE: Final = 256


@dataclass(frozen=True)
class Exported:
    """A model to be exported.

    Attributes:
        schema: of the rows that it takes.
        encoder: where it takes latents, what tells those of a row.
    """

    model: keras.Model
    schema: Schema
    encoder: keras.Model | None = None

    def taken(self, rows: NDArray[Any]) -> NDArray[Any]:
        """What it takes in the place of rows of the data set: themselves, or their latents."""
        encoder = self.encoder
        if encoder is None:
            return rows
        if not len(rows):
            return np.empty((0, *self.schema.shape), np.float32)
        pieces = [rows[first : first + _AT_ONCE] for first in range(0, len(rows), _AT_ONCE)]
        return np.concatenate(
            [np.asarray(encoder(piece.astype(np.float32), training=False)) for piece in pieces]
        )


def exported(model: keras.Model, task: Task, schema: Schema) -> Exported:
    """What of a trained model is exported."""
    if not isinstance(task, Reconstruction):
        return Exported(model, schema)
    part = served(model, task.output, task)
    if task.output != "decoder":
        return Exported(part, schema)
    # Latents have no columns, and nothing is taken off them.
    latents = Schema((task.packing.latents,), schema.target)
    return Exported(part, latents, served(model, "encoder", task))
