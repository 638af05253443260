"""From rows to what an autoencoder learns of them, and from what it decodes back to rows.

Numbers and times become normal scores, truth values 0 or 1, and a category a place for each of its
codes, of which one is 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.generation.layout import Layout
from trainyard_trainer.data.generation.quantiles import Quantiles
from trainyard_trainer.data.generation.rows import complete, filled, some
from trainyard_trainer.data.generation.wanted import FIELD, Wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.rows import Part, whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec

_KNOWN: Final = 10_000
"""Rows that tell how a column is distributed."""
_BYTES: Final = 32 * 2**20
"""Of those rows: of large ones fewer have to do."""
_WIDEST: Final = 2**15
"""Places of a coded row: the autoencoder has some hundred weights for each."""

Values = NDArray[np.float32]


def check(part: Part, schema: Schema, lacking: Sequence[Wanted]) -> None:
    """Make sure that an autoencoder of these rows is of bearable size.

    Raises:
        InvalidSpec: it is not.
    """
    del part, lacking
    width = _layout(schema).width
    if width > _WIDEST:
        raise InvalidSpec(
            f"{FIELD}.method: vae makes rows of up to {_WIDEST} numbers (a category counts as one "
            f"for each of its values), and rows here have {width}; set it to smote"
        )


def _layout(schema: Schema) -> Layout:
    """Of coded rows of a schema."""
    if not schema.columns:
        return Layout(math.prod(schema.shape))
    kinds = [column.kind for column in schema.columns]
    codes = (len(c.vocabulary) + 1 for c in schema.columns if c.kind == "category")
    return Layout(
        numbers=kinds.count("number") + kinds.count("time"),
        truths=kinds.count("boolean"),
        categories=tuple(codes),
    )


def _places(schema: Schema, *kinds: str) -> list[int]:
    """Those of an uncoded row that hold columns of some kinds; arrays and pictures hold numbers."""
    if not schema.columns:
        return list(range(math.prod(schema.shape))) if "number" in kinds else []
    return [column.first for column in schema.columns if column.kind in kinds]


class Coding:
    """How rows of one data set are coded.

    Attributes:
        layout: of a coded row.
    """

    def __init__(self, part: Part, schema: Schema, seed: int) -> None:
        """Args:
        part: its rows tell how numbers are distributed.
        seed: of which rows do, where there are many.
        """
        self.layout: Final = _layout(schema)
        self._schema = schema
        self._numbers = _places(schema, "number", "time")
        self._truths = _places(schema, "boolean")
        self._categories = _places(schema, "category")
        most = min(_KNOWN, max(1, _BYTES // (4 * math.prod(schema.shape))))
        everywhere = np.arange(len(part), dtype=np.int64)
        known = complete(some(part, everywhere, most, np.random.default_rng(seed)), schema)
        self._quantiles = [Quantiles.of(known[:, place]) for place in self._numbers]

    def coded(self, part: Part, residence: Residence) -> Part:
        """The same rows, coded.

        Args:
            residence: where they are kept.

        Raises:
            StoreUnavailable: there is no room on the worker's disk.
        """
        collector = residence.collect(len(part), (self.layout.width,), np.dtype(np.float32))
        for rows in part.pieces():
            collector.add(self.code(filled(rows.features, self._schema)))
        return whole(collector.finish(), part.targets)

    def code(self, rows: Values) -> Values:
        """Flat rows, of which nothing is missing, as they are coded: (rows, layout.width)."""
        coded = np.zeros((len(rows), self.layout.width), np.float32)
        for place, (first, known) in enumerate(zip(self._numbers, self._quantiles, strict=True)):
            coded[:, place] = known.scores_of(rows[:, first])
        coded[:, self.layout.truth_places] = rows[:, self._truths]
        every = np.arange(len(rows))
        for first, places in zip(self._categories, self.layout.category_places, strict=True):
            coded[every, places.start + rows[:, first].astype(np.int64)] = 1.0
        return coded

    def draw(self, decoded: Values, random: np.random.Generator) -> Values:
        """Rows that are as likely as a model says, flat: (rows, numbers).

        Args:
            decoded: in the places of a coded row the means of its numbers, and the logits of its
                truth values and codes; behind them the logarithm of each number's variance.
        """
        layout = self.layout
        rows = np.empty((len(decoded), math.prod(self._schema.shape)), np.float32)
        means, log_variances = decoded[:, : layout.numbers], decoded[:, layout.width :]
        noise = random.standard_normal(means.shape, np.float32)
        scores = means + np.exp(0.5 * log_variances) * noise
        for place, (first, known) in enumerate(zip(self._numbers, self._quantiles, strict=True)):
            rows[:, first] = known.values_of(scores[:, place])
        # The largest of logits with such noise is drawn with the probabilities of the logits.
        logits = decoded[:, layout.truth_places]
        rows[:, self._truths] = logits + random.logistic(size=logits.shape) > 0.0
        for first, places in zip(self._categories, layout.category_places, strict=True):
            logits = decoded[:, places]
            rows[:, first] = np.argmax(logits + random.gumbel(size=logits.shape), axis=1)
        return rows
