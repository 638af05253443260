"""How inputs and answers were distributed when the model was made.

Whoever serves it compares what comes with this. Numbers are counted between their deciles in the
training part, so that every share says as much.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import Distribution
from trainyard_trainer.data.rows import Part
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes, Target

_ROWS: Final = 20_000
"""Of the training part that are looked at, taken evenly."""
_BYTES: Final = 64 * 2**20
"""Of those rows: of large pictures fewer have to do."""
_SHARES: Final = 10
_CODES: Final = 64
"""Shares of codes that are kept; rarer ones are told together."""
_WIDEST: Final = 256
"""Columns of an array, and numbers of an answer, that are told of one by one."""


def sample(part: Part) -> NDArray[Any]:
    """Some rows of a part, taken evenly."""
    count = min(len(part), _ROWS, max(1, _BYTES // max(1, part.row_bytes)))
    places = np.linspace(0, len(part) - 1, count).astype(np.int64)
    return np.concatenate([rows.features for rows in part.only(places).pieces()])


def of_column(column: Column, rows: NDArray[Any]) -> Distribution | None:
    """Of a table's column; None of texts.

    Args:
        rows: encoded, or windows of them.
    """
    values = rows[..., column.first].ravel()
    if column.kind == "text":
        return None
    if column.kind == "category":
        return of_codes(values, len(column.vocabulary) + 1)
    if column.kind == "boolean":
        return of_codes(values, 2)
    return of_numbers(values.astype(np.float64) + column.shift)


def of_rows(schema: Schema, rows: NDArray[Any]) -> list[Distribution]:
    """Of an array's columns, or of pictures' brightness; nothing of tables."""
    if schema.columns:
        return []
    if len(schema.shape) > 1:
        return [of_numbers(rows.reshape(len(rows), -1).mean(axis=1, dtype=np.float64))]
    if schema.shape[0] > _WIDEST:
        return []
    shift = np.array(schema.shift or (0.0,) * schema.shape[0])
    return [of_numbers(column) for column in (rows.astype(np.float64) + shift).T]


def of_answers(target: Target, outputs: NDArray[Any]) -> list[Distribution]:
    """Of a model's answers, (rows, outputs)."""
    if isinstance(target, Classes):
        return [of_codes(outputs.argmax(axis=1), target.outputs)]
    if outputs.shape[1] > _WIDEST:
        return []
    return [of_numbers(column) for column in outputs.astype(np.float64).T]


def of_numbers(values: NDArray[np.float64]) -> Distribution:
    """Between the deciles of what is there; equal deciles are one."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Distribution(shares=[0.0], missing=1.0)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _SHARES + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return Distribution(
        edges=edges.tolist(),
        shares=_shares(counts, len(known)),
        missing=round(1 - len(known) / len(values), 6),
    )


def of_codes(values: NDArray[Any], codes: int) -> Distribution:
    """Of whole numbers from 0."""
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not len(known):
        return Distribution(shares=[0.0], missing=1.0)
    kept = min(codes, _CODES)
    counts = np.bincount(np.minimum(known.astype(np.int64), kept - 1), minlength=kept)
    return Distribution(
        shares=_shares(counts, len(known)), missing=round(1 - len(known) / len(values), 6)
    )


def _shares(counts: NDArray[Any], of: int) -> list[float]:
    return [round(each, 6) for each in (counts / of).tolist()]
