"""The order of cleaning: leakage, duplicates, outliers. (Missing values are the readers'; labels
that seem wrong are looked for when models can be trained.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trainyard_api.spec import Cleaning
from trainyard_trainer.data import checks
from trainyard_trainer.data.cleaning import twins
from trainyard_trainer.data.cleaning.outliers import without_outliers
from trainyard_trainer.data.cleaning.twins import Twins
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.findings import Finding
from trainyard_trainer.data.refitting import refitted
from trainyard_trainer.data.source import FIELD as SOURCE_FIELD
from trainyard_trainer.data.source import PartName
from trainyard_trainer.errors import InvalidData

FIELD: Final = "spec.data.cleaning"
_REPEATING: Final = 0.1
"""Where more of the training rows than this stand in it twice, equal rows are no copies."""
_HELD_OUT: Final[tuple[PartName, PartName]] = ("test", "validation")


def clean(dataset: Dataset, cleaning: Cleaning, seed: int, say: Callable[[str], None]) -> Dataset:
    """The data set with a clean training part, and what was found in it.

    Args:
        seed: of what is drawn by lot.
        say: is told what is looked for.

    Raises:
        InvalidData: nothing is left to train on.
        InvalidSpec: cleaning does not fit these rows.
    """
    say("looking for rows that are in several parts")
    found = without_leakage(dataset, cleaning)
    if found.train is not dataset.train:
        _check(found)
    if cleaning.duplicates == "drop":
        say("looking for duplicates")
        found = _without_duplicates(found)
    if cleaning.outliers is not None:
        say("looking for outliers")
        found = without_outliers(found, cleaning.outliers, seed)
    return found if found.train is dataset.train else refitted_and_checked(found)


def refitted_and_checked(dataset: Dataset) -> Dataset:
    """A data set whose training part was changed.

    Raises:
        InvalidData: nothing is left to train on.
    """
    _check(dataset)
    return refitted(dataset)


def without_leakage(dataset: Dataset, cleaning: Cleaning) -> Dataset:
    """Rows that judge a model are not learned from: what is measured on them would say nothing."""
    held_out = {"test": dataset.test, "validation": dataset.validation}
    found = twins.in_others(dataset.train, [held_out[name] for name in _HELD_OUT])
    if not len(found):
        return dataset
    told = f"{len(found)} of {len(dataset.train)} training rows stand in validation or test as well"
    drops = cleaning.leakage == "drop"
    why = f"{FIELD}.leakage: drop leaves them out"
    if cleaning.leakage == "auto":
        repeats = twins.repetition(dataset.train)
        drops = repeats <= _REPEATING
        if not drops:
            told += f", and {repeats:.0%} of training repeats itself"
    finding = Finding(
        "leakage",
        "dropped" if drops else "kept",
        dataset.train.numbers[found.places],
        lambda index: _elsewhere(dataset, found, index),
    )
    if not drops:
        return dataset.changed(dataset.train, finding, f"{told}: they are kept; {why}")
    note = f"{told}: they are dropped from training ({FIELD}.leakage: keep keeps them)"
    return dataset.changed(dataset.train.without(found.places), finding, note)


def _without_duplicates(dataset: Dataset) -> Dataset:
    found = twins.inside(dataset.train)
    numbers = dataset.train.numbers
    finding = Finding(
        "duplicates",
        "dropped",
        numbers[found.places],
        lambda index: f"equals {dataset.place('train', int(numbers[found.others[index]]))}",
    )
    note = f"duplicates: {len(found)} of {len(dataset.train)} training rows are dropped"
    return dataset.changed(dataset.train.without(found.places), finding, note)


def _elsewhere(dataset: Dataset, found: Twins, index: int) -> str:
    name = _HELD_OUT[found.parts[index]]
    part = dataset.test if name == "test" else dataset.validation
    number = int(part.numbers[found.others[index]])
    return f"equals {dataset.place(name, number)}, which is in the {name} part"


def _check(dataset: Dataset) -> None:
    """Make sure that something is left.

    Raises:
        InvalidData: nothing is, or no row of a class that the test part has.
    """
    if not len(dataset.train):
        raise InvalidData(
            f"{FIELD}: leaves no row to train on ({'; '.join(dataset.notes[-3:])}); keep some"
        )
    name = f"after {FIELD}"
    try:
        checks.check_classes(dataset.schema.target, dataset.train, dataset.test, name)
    except InvalidData as error:
        raise InvalidData(
            str(error).removeprefix(f"{SOURCE_FIELD}: ")
            + f"; cleaning took them all: see {FIELD}.leakage, duplicates and outliers"
        ) from error
