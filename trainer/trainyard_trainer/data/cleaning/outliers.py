"""Rows of the training part that lie far from the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.listing import listed
from trainyard_api.spec import Outliers
from trainyard_trainer.data.cleaning import forest
from trainyard_trainer.data.cleaning.clipping import Clipped
from trainyard_trainer.data.cleaning.ordinary import (
    Ordinary,
    by_deviation,
    by_quartiles,
    measured_columns,
)
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.findings import Finding
from trainyard_trainer.data.rows import Numbers, Part

_DEFAULTS: Final = {"zscore": 4.0, "iqr": 3.0, "isolation_forest": 0.6}
_LISTED: Final = 5


@dataclass(frozen=True)
class _Beyond:
    """Numbers that are not ordinary, of each row the first of them.

    Attributes:
        places: of the rows in the part.
        columns: indices of the columns.
        values: what stands there, without its shift.
        counts: of all numbers of each column that are not ordinary.
    """

    places: Numbers
    columns: Numbers
    values: NDArray[np.float64]
    counts: NDArray[np.int64]


def without_outliers(dataset: Dataset, wanted: Outliers, seed: int) -> Dataset:
    """The data set, of whose training part outliers are dropped or clipped.

    Raises:
        InvalidSpec: rows have no columns of numbers.
    """
    columns = measured_columns(dataset.schema)
    threshold = wanted.threshold or _DEFAULTS[wanted.method]
    if wanted.method == "isolation_forest":
        return _without_isolated(dataset, threshold, seed)
    fitted = by_deviation if wanted.method == "zscore" else by_quartiles
    ordinary = fitted(dataset.train, columns, threshold)
    found = _beyond(dataset.train, ordinary)
    clips = (wanted.action or "clip") == "clip"
    done = "clipped" if clips else "dropped"
    told = [
        f"{column.name} in {count}"
        for column, count in zip(columns, found.counts.tolist(), strict=True)
        if count
    ]
    note = (
        f"outliers ({wanted.method}, {threshold:g}): {len(found.places)} of {len(dataset.train)} "
        f"training rows are {done}" + (f": {listed(told, _LISTED)}" if told else "")
    )
    finding = Finding(
        "outliers",
        "clipped" if clips else "dropped",
        dataset.train.numbers[found.places],
        lambda index: _detail(found, ordinary, index),
    )
    train = _clipped(dataset.train, ordinary) if clips else dataset.train.without(found.places)
    return dataset.changed(train, finding, note)


def _without_isolated(dataset: Dataset, threshold: float, seed: int) -> Dataset:
    found = forest.scores(dataset.train, dataset.schema, seed)
    places = np.flatnonzero(found > threshold)
    finding = Finding(
        "outliers",
        "dropped",
        dataset.train.numbers[places],
        lambda index: f"score {found[places[index]]:.3f}, ordinary is {threshold:g} at most",
    )
    note = (
        f"outliers (isolation_forest, {threshold:g}): {len(places)} of {len(dataset.train)} "
        "training rows are dropped"
    )
    return dataset.changed(dataset.train.without(places), finding, note)


def _beyond(part: Part, ordinary: Ordinary) -> _Beyond:
    places, columns, values = [], [], []
    first, counts = 0, np.zeros(len(ordinary.columns), np.int64)
    for rows in part.pieces():
        beyond = ordinary.beyond(rows.features)
        counts += beyond.sum(axis=0)
        hit = np.flatnonzero(beyond.any(axis=1))
        column = beyond[hit].argmax(axis=1)
        places.append(first + hit)
        columns.append(column)
        values.append(rows.features[hit, ordinary.places[column]].astype(np.float64))
        first += len(rows)
    return _Beyond(np.concatenate(places), np.concatenate(columns), np.concatenate(values), counts)


def _detail(found: _Beyond, ordinary: Ordinary, index: int) -> str:
    at = found.columns[index]
    column = ordinary.columns[at]
    value, lowest, highest = (
        each + column.shift
        for each in (found.values[index], ordinary.lowest[at], ordinary.highest[at])
    )
    return f"{column.name} is {value:g}, ordinary is {lowest:g} to {highest:g}"


def _clipped(part: Part, ordinary: Ordinary) -> Part:
    return replace(part, source=Clipped(part.source, ordinary))
