"""New rows between neighbours of a class, by imbalanced-learn.

SMOTE (Chawla et al., 2002) for numbers, SMOTENC where some columns are categories or truth values,
SMOTEN where all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.generation.rows import codes, complete, some
from trainyard_trainer.data.generation.wanted import FIELD, Wanted
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidData

_NEIGHBOURS: Final = 5
_BYTES: Final = 64 * 2**20
"""Of a class's rows: a class that has more is represented by some of them."""
_OTHERS: Final = 2000
"""Rows of other classes: by them SMOTEN tells how far categories are from each other."""


def check(part: Part, schema: Schema, lacking: Sequence[Wanted]) -> None:
    """Make sure that rows can be made between those that there are.

    Raises:
        InvalidData: a class has a single row.
    """
    counts = np.bincount(part.targets, minlength=schema.target.outputs)
    lonely = [schema.target.names[each.label] for each in lacking if counts[each.label] < 2]
    if lonely:
        raise InvalidData(
            f"{FIELD}: the class {lonely[0]} has a single training row, and smote makes new ones "
            "between two; bring more rows of it, set method: vae, or leave generation out"
        )


def smote(part: Part, schema: Schema, wanted: Wanted, seed: int) -> NDArray[np.float32]:
    """New rows of one class: float32 (wanted.rows, numbers).

    Args:
        part: of which that class has two rows at least.
    """
    random = np.random.default_rng(seed)
    is_own = part.targets == wanted.label
    own = some(part, np.flatnonzero(is_own), max(2, _BYTES // max(1, part.row_bytes)), random)
    others = some(part, np.flatnonzero(~is_own), _OTHERS, random)
    return _between(complete(own, schema), complete(others, schema), schema, wanted, seed)


def _between(
    rows: NDArray[np.float32],
    others: NDArray[np.float32],
    schema: Schema,
    wanted: Wanted,
    seed: int,
) -> NDArray[np.float32]:
    # Each column counts alike in what is near, whatever its unit.
    mean, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    coded = codes(schema)
    mean[coded], spread[coded] = 0.0, 1.0
    spread[spread == 0.0] = 1.0
    every = (np.concatenate([rows, others]) - mean) / spread
    labels = np.repeat([1, 0], [len(rows), len(others)])
    sampler = _sampler(schema, coded, {1: len(rows) + wanted.rows}, len(rows) - 1, seed)
    found, _ = sampler.fit_resample(every, labels)
    made = np.asarray(found[len(every) :], np.float64) * spread + mean
    return made.astype(np.float32)


def _sampler(schema: Schema, coded: list[int], sizes: dict[int, int], most: int, seed: int) -> Any:
    # It brings scikit-learn, which takes a second to be imported.
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    near = {
        "k_neighbors": min(_NEIGHBOURS, most),
        "sampling_strategy": sizes,
        "random_state": seed,
    }
    if not coded:
        return SMOTE(**near)
    if len(coded) == schema.shape[0]:
        return SMOTEN(**near)
    return SMOTENC(categorical_features=coded, **near)
