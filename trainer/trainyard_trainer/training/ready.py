"""The training part as it is learned from: what needs models, or comes before them.

Labels that seem wrong are found by models that are trained on the rest of the rows; rows of rare
classes are made. All workers do it alike, and a restart finds its way back by the checkpoints of
those models.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Data, LabelErrors
from trainyard_trainer import augmentation
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.cleaning import label_errors
from trainyard_trainer.data.cleaning.apply import refitted_and_checked
from trainyard_trainer.progress import Tracker
from trainyard_trainer.tasks import task_for
from trainyard_trainer.training import generating
from trainyard_trainer.training.attendant import Attendant
from trainyard_trainer.training.fit.graph import Measurer
from trainyard_trainer.training.supervised import supervised

_log = logging.getLogger(__name__)

_TRAINED: Final = 100


@dataclass(frozen=True)
class Ready:
    """What is learned from.

    Attributes:
        dataset: whose training part has real rows alone.
        train: with those that were generated.
        tracker: of what is left of the stage.
    """

    dataset: Dataset
    train: Part
    tracker: Tracker


def check(data: Data, dataset: Dataset) -> None:
    """Make sure that `ready` can do what the spec wants, before the gang assembles.

    Raises:
        InvalidSpec, InvalidData: it cannot.
    """
    if data.cleaning is not None and data.cleaning.labelErrors is not None:
        label_errors.check(dataset.schema.target, dataset.train, data.cleaning.labelErrors)
    if data.generation is not None:
        generating.check(dataset, data.generation)


def ready(attendant: Attendant, dataset: Dataset, tracker: Tracker) -> Ready | None:
    """Look for label errors and generate rows, as far as the spec asks for it.

    Returns:
        None: the gang was asked to stop, and its state is saved.
    """
    spec = attendant.pod.spec
    cleaning = spec.data.cleaning
    if cleaning is not None and cleaning.labelErrors is not None:
        share = _TRAINED * (cleaning.labelErrors.folds - 1) // cleaning.labelErrors.folds
        beside, tracker = tracker.part(0, share), tracker.part(share, _TRAINED)
        found = _without_label_errors(attendant, dataset, cleaning.labelErrors, beside)
        if found is None:
            return None
        dataset = found
    train = dataset.train
    if spec.data.generation is not None:
        share = generating.percent(spec.data.generation)
        beside, tracker = tracker.part(0, share), tracker.part(share, _TRAINED)
        made = generating.generated(attendant, dataset, spec.data.generation, beside)
        if made is None:
            return None
        dataset, train = made
    if layers := spec.data.augmentation:
        dataset = _noted(dataset, augmentation.note(layers, len(train)))
    return Ready(dataset, train, tracker)


def _noted(dataset: Dataset, note: str) -> Dataset:
    _log.info("data: %s", note)
    return replace(dataset, notes=(*dataset.notes, note))


def _without_label_errors(
    attendant: Attendant, dataset: Dataset, wanted: LabelErrors, tracker: Tracker
) -> Dataset | None:
    spec, train = attendant.pod.spec, dataset.train
    task = task_for(spec, dataset.schema, train.targets)
    probabilities = np.zeros((len(train), task.outputs), np.float32)
    for index, fold in enumerate(label_errors.folds(train, wanted.folds, spec.data.split.seed)):
        doing = f"looking for label errors, model {index + 1} of {wanted.folds}"
        _log.info(doing)
        fitting = supervised(spec, dataset, task, train.only(fold.learns))
        first, last = (_TRAINED * each // wanted.folds for each in (index, index + 1))
        fitted = attendant.fit(
            fitting, tracker.part(first, last, doing), f"label-errors-{index + 1}"
        )
        if not fitted.finished:
            return None
        judged = train.only(fold.judges)
        measurer = Measurer(attendant.gang, fitted.model, fitting.objective, judged)
        probabilities[fold.judges] = measurer.predict()
    places = _agreed(attendant, train, probabilities, wanted)
    found = label_errors.without_label_errors(dataset, wanted, places, probabilities)
    _log.info("data: %s", found.notes[-1])
    return found if found.train is train else refitted_and_checked(found)


def _agreed(
    attendant: Attendant, train: Part, probabilities: NDArray[np.float32], wanted: LabelErrors
) -> NDArray[np.int64]:
    """The doubted rows as the chief has them: libraries may differ in the last digit."""
    places = label_errors.doubted(train.targets, probabilities, wanted.folds)
    ranks = np.zeros(len(train), np.float64)
    ranks[places] = np.arange(len(places), 0, -1)
    (agreed,) = attendant.gang.from_chief([ranks])
    return np.argsort(-agreed, kind="stable")[: np.count_nonzero(agreed)]
