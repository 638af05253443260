"""Rows of rare classes, by the method that the spec names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from trainyard_api.spec import Generation
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.generation import coding, smote
from trainyard_trainer.data.generation import wanted as lacking
from trainyard_trainer.data.generation.generate import Generator, with_generated
from trainyard_trainer.data.generation.wanted import Wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training import row_making
from trainyard_trainer.training.attendant import Attendant

_log = logging.getLogger(__name__)


def _between_rows(attendant: Attendant, dataset: Dataset, tracker: Tracker) -> Generator:
    tracker.say("generating rows")
    seed = attendant.pod.spec.data.split.seed
    return partial(smote.smote, dataset.train, dataset.schema, seed=seed)


@dataclass(frozen=True)
class _Method:
    """A way to make rows.

    Attributes:
        check: raises InvalidSpec or InvalidData where it cannot.
        prepare: gives the generator; None where the gang was asked to stop, and its state is saved.
        percent: of what is left of the stage that `prepare` counts for.
    """

    check: Callable[[Part, Schema, Sequence[Wanted]], None]
    prepare: Callable[[Attendant, Dataset, Tracker], Generator | None]
    percent: int


_METHODS: Final = {
    "smote": _Method(smote.check, _between_rows, percent=0),
    "vae": _Method(coding.check, row_making.trained, percent=20),
}


def check(dataset: Dataset, generation: Generation) -> None:
    """Make sure that what the classes lack can be made.

    Raises:
        InvalidSpec, InvalidData: it cannot.
    """
    lacking.check(dataset.schema)
    _lacking(dataset, generation)


def percent(generation: Generation) -> int:
    """Of what is left of the stage that making rows counts for."""
    return _METHODS[generation.method].percent


def generated(
    attendant: Attendant, dataset: Dataset, generation: Generation, tracker: Tracker
) -> tuple[Dataset, Part] | None:
    """The data set that knows of generated rows, and the training part that has them.

    Returns:
        None: the gang was asked to stop, and its state is saved.

    Raises:
        InvalidData: rows that were dropped since `check` leave too few.
        TrainerError: see `fit`.
    """
    missing = _lacking(dataset, generation)
    if not missing:
        return dataset, dataset.train
    generator = _METHODS[generation.method].prepare(attendant, dataset, tracker)
    if generator is None:
        return None
    residence = Residence.here(attendant.pod.spec.data.source.streaming)
    dataset, train = with_generated(dataset, generation, missing, generator, residence)
    _log.info("data: %s", dataset.notes[-1])
    return dataset, train


def _lacking(dataset: Dataset, generation: Generation) -> list[Wanted]:
    """What each class lacks, if the method can make it."""
    train, classes = dataset.train, len(dataset.schema.target.names)
    found = lacking.wanted(train, classes, generation.ratio)
    _METHODS[generation.method].check(train, dataset.schema, found)
    return found
