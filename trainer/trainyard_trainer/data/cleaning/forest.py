"""Rows that are easily set apart from all others: Liu, Ting and Zhou, Isolation Forest (2008)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Schema

_FITTED: Final = 2**16
"""Rows that the trees choose from; each takes 256 of them."""
_BYTES: Final = 64 * 2**20
"""Of those rows: of wide ones fewer have to do."""


def scores(part: Part, schema: Schema, seed: int) -> NDArray[np.float64]:
    """How easily each row is set apart, from 0 to 1; about 0.5 is ordinary: (rows,).

    Numbers, times and truth values are looked at; what is missing may be.
    """
    # scikit-learn takes a second to be imported, which most runs can do without.
    from sklearn.ensemble import IsolationForest

    places = _places(schema)
    most = min(_FITTED, max(1, _BYTES // max(1, part.row_bytes)))
    chosen = np.random.default_rng(seed).permutation(len(part))[:most]
    forest = IsolationForest(random_state=seed)
    forest.fit(part.take(np.sort(chosen)).features[:, places].astype(np.float32))
    found = [
        -forest.score_samples(rows.features[:, places].astype(np.float32)) for rows in part.pieces()
    ]
    return np.concatenate(found)


def _places(schema: Schema) -> list[int]:
    if not schema.columns:
        return list(range(math.prod(schema.shape)))
    kinds = ("number", "time", "boolean")
    return [column.first for column in schema.columns if column.kind in kinds]
