"""The training part with generated rows behind its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.listing import listed
from trainyard_api.spec import Generation
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.generation.likeness import MOST, told_apart
from trainyard_trainer.data.generation.rows import complete, like, some
from trainyard_trainer.data.generation.wanted import Wanted
from trainyard_trainer.data.joined import joined
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.rows import Part

Generator = Callable[[Wanted], NDArray[np.float32]]
"""Makes the rows that a class lacks: float32 (rows, numbers)."""

_LISTED: Final = 5


def with_generated(
    dataset: Dataset,
    generation: Generation,
    lacking: Sequence[Wanted],
    generator: Generator,
    residence: Residence,
) -> tuple[Dataset, Part]:
    """The data set that knows of generated rows, and the training part that has them.

    The data set's own training part stays one of real rows.

    Args:
        lacking: of each class that is to get rows; at least one.
        residence: where the new rows are kept.

    Raises:
        StoreUnavailable: there is no room on the worker's disk.
    """
    train, names = dataset.train, dataset.schema.target.names
    total = sum(each.rows for each in lacking)
    collector = residence.collect(total, train.shape, train.source.dtype)
    told, apart = [], []
    for each in lacking:
        rows = like(generator(each), train)
        collector.add(rows)
        told.append(f"{names[each.label]} {each.rows}")
        apart.append(_told_apart(train, dataset, each, rows))
    targets = np.concatenate([np.full(each.rows, each.label, np.int64) for each in lacking])
    note = f"generation ({generation.method}): {total} rows are made for {listed(told, _LISTED)}"
    if known := [each for each in apart if each is not None]:
        note += (
            f"; a forest tells them from real ones with an ROC AUC of {np.mean(known):.2f} "
            "(0.5: not at all)"
        )
    changed = replace(dataset, generated=total, notes=(*dataset.notes, note))
    return changed, joined(train, collector.finish(), targets)


def _told_apart(train: Part, dataset: Dataset, lacking: Wanted, rows: NDArray[Any]) -> float | None:
    random = np.random.default_rng(lacking.label)
    places = np.flatnonzero(train.targets == lacking.label)
    real = complete(some(train, places, MOST, random), dataset.schema)
    made = rows[random.permutation(len(rows))[:MOST]].reshape(-1, real.shape[1])
    return told_apart(real, made.astype(np.float32), seed=lacking.label)
