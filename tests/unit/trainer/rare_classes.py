"""Data sets with a rare class, of all kinds of rows, and what makes more of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Generation
from trainyard_api.spec.training import Checkpoint
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.generation.coding import Coding
from trainyard_trainer.data.generation.generate import Generator, with_generated
from trainyard_trainer.data.generation.smote import smote
from trainyard_trainer.data.generation.wanted import wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes
from trainyard_trainer.training import row_making
from trainyard_trainer.training.fit import Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang

COMMON, RARE = 300, 24
CLASSES = Classes(("common", "rare"))
RESIDENCE = Residence("never", 2**30, Path("/tmp"))


def dataset_of(features: NDArray[Any], schema: Schema, targets: NDArray[np.int64]) -> Dataset:
    part = whole(Resident(features), targets)
    return Dataset(part, part.only(np.arange(0)), part, schema)


def targets(rare: int = RARE) -> NDArray[np.int64]:
    return np.repeat([0, 1], [COMMON, rare])


def array(rare: int = RARE) -> Dataset:
    """Five numbers of different scales, of which each depends on the class."""
    label = targets(rare)
    random = np.random.default_rng(0)
    rows = random.normal(4.0 * label[:, np.newaxis], 1.0, (len(label), 5))
    rows[:, 1] = np.exp(rows[:, 1])
    rows[:, 2] = np.round(1000.0 * rows[:, 2])
    return dataset_of(rows.astype(np.float32), Schema((5,), CLASSES), label)


def table() -> Dataset:
    """Numbers with gaps, times, truth values and categories: 0 stands for any unknown one."""
    label = targets()
    random = np.random.default_rng(1)
    columns = (
        Column("city", "category", 0, vocabulary=("Oslo", "Rome", "Lima")),
        Column("age", "number", 1, fill=-3.0),
        Column("member", "boolean", 2, fill=1.0),
        Column("since", "time", 3, shift=1.6e9),
        Column("size", "category", 4, vocabulary=("small", "large")),
    )
    rows = np.zeros((len(label), 5), np.float32)
    rows[:, 0] = np.where(
        random.random(len(label)) < 0.8, 1 + label, random.integers(1, 4, len(label))
    )
    rows[:, 1] = np.round(random.normal(10.0 * label, 3.0))
    rows[:, 2] = random.random(len(label)) < 0.2 + 0.6 * label
    rows[:, 3] = random.uniform(-1e6, 1e6, len(label))
    rows[:, 4] = random.integers(0, 3, len(label))  # 0: none of the vocabulary
    rows[::7, 1] = rows[::5, 2] = np.nan
    return dataset_of(rows, Schema((5,), CLASSES, columns), label)


def categories() -> Dataset:
    """A table without a single number."""
    dataset = table()
    columns = (
        replace(dataset.schema.columns[0], first=0),
        replace(dataset.schema.columns[4], first=1),
    )
    rows = dataset.train.features()[:, [0, 4]]
    return dataset_of(rows, Schema((2,), CLASSES, columns), targets())


def pictures() -> Dataset:
    """A bright bar: upright in common pictures, flat in rare ones."""
    label = targets()
    random = np.random.default_rng(2)
    shown = np.zeros((len(label), 6, 6, 2))
    for picture, flat, place in zip(shown, label, random.integers(1, 4, len(label)), strict=True):
        bar = picture.swapaxes(0, 1) if flat else picture
        bar[:, place : place + 2] = 200.0
    shown += random.uniform(0.0, 30.0, shown.shape)
    return dataset_of(shown.astype(np.uint8), Schema((6, 6, 2), CLASSES), label)


KINDS = {"array": array, "table": table, "categories": categories, "pictures": pictures}


def fitting(dataset: Dataset, epochs: int = 8, **training: Any) -> tuple[Coding, Fitting]:
    coding = Coding(dataset.train, dataset.schema, 0)
    coded = coding.coded(dataset.train, RESIDENCE)
    made = row_making.fitting_of(coding, coded, 2, 0, Checkpoint())
    few = made.training.model_copy(update={"epochs": epochs} | training)
    return coding, replace(made, training=few)


def by_vae(dataset: Dataset) -> Generator:
    coding, what = fitting(dataset)
    fitted = fit(what, Gang.alone(), Surroundings.none())
    return partial(row_making.make, fitted.model, coding, 2, 0)


def by_smote(dataset: Dataset) -> Generator:
    return partial(smote, dataset.train, dataset.schema, seed=0)


GENERATORS: dict[str, Callable[[Dataset], Generator]] = {"smote": by_smote, "vae": by_vae}


@dataclass(frozen=True)
class Made:
    """What a generator made of a data set."""

    before: Dataset
    after: Dataset
    train: Part
    generator: Generator

    @property
    def rows(self) -> NDArray[Any]:
        """Those that were made."""
        return self.train.features()[len(self.before.train) :]


@cache
def made(method: str, kind: str) -> Made:
    dataset = KINDS[kind]()
    generator = GENERATORS[method](dataset)
    generation = Generation.model_validate({"method": method, "ratio": 0.8})
    lacking = wanted(dataset.train, 2, generation.ratio)
    after, train = with_generated(dataset, generation, lacking, generator, RESIDENCE)
    return Made(dataset, after, train, generator)
