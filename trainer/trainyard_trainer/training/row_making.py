"""A model of the training part that makes new rows of its classes."""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Training
from trainyard_api.spec.model import Vae
from trainyard_api.spec.training import Checkpoint
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.generation.coding import Coding
from trainyard_trainer.data.generation.generate import Generator
from trainyard_trainer.data.generation.rows import some_of_each
from trainyard_trainer.data.generation.wanted import FIELD, Wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.errors import Diverged
from trainyard_trainer.models import vae
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training.attendant import Attendant
from trainyard_trainer.training.fit import Fitting
from trainyard_trainer.training.fit.footprint import rows_at_once
from trainyard_trainer.training.objectives.elbo import NegativeElbo

_log = logging.getLogger(__name__)

CHECKPOINTS: Final = "generation"
"""Name of the fit beside the stage's own."""
_DOING: Final = "training a model that makes rows"
_MODEL: Final = Vae()

_STEPS: Final = 4000
"""About so many are made, however few rows there are; of more than they see, some are left out."""
_BYTES: Final = 2 * 2**30
"""Of coded rows, which lie on the disk if need be: of large ones fewer are learned from."""
_EPOCHS: Final = 30
"""Most that are told of: few rows are learned from several times in each."""
_BATCH: Final = 128
_SMALLEST_BATCH: Final = 16
_BATCHES: Final = 8
"""Into so many at least a part is cut, as long as they do not become too small."""


def trained(attendant: Attendant, dataset: Dataset, tracker: Tracker) -> Generator | None:
    """A generator that has learned from the training part alone.

    Returns:
        None: the gang was asked to stop, and its state is saved.

    Raises:
        TrainerError: see `fit`.
    """
    _log.info(_DOING)
    spec, classes = attendant.pod.spec, len(dataset.schema.target.names)
    seed = spec.data.split.seed
    coding = Coding(dataset.train, dataset.schema, seed)
    most = min(_STEPS * _BATCH, _BYTES // coding.row_bytes)
    learned = some_of_each(dataset.train, classes, most, np.random.default_rng(seed))
    coded = coding.coded(learned, Residence.here(spec.data.source.streaming))
    fitting = fitting_of(coding, coded, classes, seed, spec.training.checkpoint)
    try:
        fitted = attendant.fit(fitting, tracker.part(0, 100, _DOING), CHECKPOINTS)
    except Diverged as error:
        # The message names what the spec sets for the job's own model.
        raise Diverged(
            f"{FIELD}.method: the model that makes rows has diverged; set it to smote"
        ) from error
    return partial(make, fitted.model, coding, classes, seed) if fitted.finished else None


def fitting_of(
    coding: Coding, part: Part, classes: int, seed: int, checkpoint: Checkpoint
) -> Fitting:
    """What is fitted to the coded rows of a part."""
    layout = coding.layout
    batch = min(_BATCH, max(_SMALLEST_BATCH, len(part) // _BATCHES))
    passes = math.ceil(_STEPS * batch / len(part))
    in_epoch = math.ceil(passes / _EPOCHS)
    train = part.only(np.tile(np.arange(len(part), dtype=np.int64), in_epoch))
    return Fitting(
        build=lambda: vae.build(_MODEL, layout.width, layout.numbers, classes),
        objective=NegativeElbo(layout, classes, _MODEL.beta),
        train=train,
        validation=part.only(np.arange(0)),
        training=Training(
            epochs=math.ceil(passes / in_epoch), batchSize=batch, checkpoint=checkpoint, seed=seed
        ),
    )


def make(
    model: keras.Model, coding: Coding, classes: int, seed: int, wanted: Wanted
) -> NDArray[np.float32]:
    """New rows of one class, of latents that are drawn from the prior: (wanted.rows, numbers).

    The same model makes the same rows, on all workers and after a restart.
    """
    random = np.random.default_rng([seed, wanted.label])
    decoder = model.get_layer(vae.DECODER)
    at_once = rows_at_once(decoder)
    made = []
    for first in range(0, wanted.rows, at_once):
        count = min(at_once, wanted.rows - first)
        latents = random.standard_normal((count, _MODEL.latentDimensions), np.float32)
        condition = np.zeros((count, classes), np.float32)
        condition[:, wanted.label] = 1.0
        decoded = decoder([latents, condition], training=False)
        made.append(coding.draw(np.asarray(decoded), random))
    return np.concatenate(made)
