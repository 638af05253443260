"""From rows to what an autoencoder learns of them, and from what it decodes back to rows.

Numbers and times become normal scores. A category becomes a place for each of its codes, of which
one is 1; so does a truth value, which is a category of two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.generation.layout import layout_of
from trainyard_trainer.data.generation.quantiles import Quantiles
from trainyard_trainer.data.generation.rows import codes, complete, filled, some_of_each
from trainyard_trainer.data.generation.wanted import FIELD, Wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.rows import PIECE_BYTES, Part, whole
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
    """Make sure that an autoencoder of a part's rows is of bearable size, if one is needed.

    Raises:
        InvalidSpec: it is not.
    """
    del part
    width = layout_of(schema).width
    if lacking and width > _WIDEST:
        raise InvalidSpec(
            f"{FIELD}.method: vae makes rows of up to {_WIDEST} numbers (a category counts as one "
            f"for each of its values), and rows here have {width}; set it to smote"
        )


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
        self.layout: Final = layout_of(schema)
        self._schema = schema
        self._categories = codes(schema)
        every = range(math.prod(schema.shape))
        self._numbers = [place for place in every if place not in self._categories]
        most = min(_KNOWN, max(1, _BYTES // (4 * math.prod(schema.shape))))
        random = np.random.default_rng(seed)
        known = complete(some_of_each(part, schema.target.outputs, most, random), schema)
        self._quantiles = [Quantiles.of(known[:, place]) for place in self._numbers]
        self._unseen = np.ones(self.layout.width, np.bool_)
        for first, places in zip(self._categories, self.layout.category_places, strict=True):
            self._unseen[places.start + np.unique(known[:, first]).astype(np.int64)] = False

    @property
    def row_bytes(self) -> int:
        """Bytes of a coded row."""
        return 4 * self.layout.width

    def coded(self, part: Part, residence: Residence) -> Part:
        """The same rows, coded.

        Args:
            residence: where they are kept.

        Raises:
            StoreUnavailable: there is no room on the worker's disk.
        """
        collector = residence.collect(len(part), (self.layout.width,), np.dtype(np.float32))
        # Pieces that are small when they are coded: a category of many codes is a wide one then.
        for rows in part.pieces(PIECE_BYTES * part.row_bytes // self.row_bytes):
            collector.add(self.code(filled(rows.features, self._schema)))
        return whole(collector.finish(), part.targets)

    def code(self, rows: Values) -> Values:
        """Flat rows, of which nothing is missing, as they are coded: (rows, layout.width)."""
        coded = np.zeros((len(rows), self.layout.width), np.float32)
        for place, (first, known) in enumerate(zip(self._numbers, self._quantiles, strict=True)):
            coded[:, place] = known.scores_of(rows[:, first])
        every = np.arange(len(rows))
        for first, places in zip(self._categories, self.layout.category_places, strict=True):
            coded[every, places.start + rows[:, first].astype(np.int64)] = 1.0
        return coded

    def draw(self, decoded: Values, random: np.random.Generator) -> Values:
        """Rows that are as likely as a model says, flat: (rows, numbers).

        Args:
            decoded: in the places of a coded row the means of its numbers and the logits of its
                codes; behind them the logarithm of each number's variance.
        """
        layout = self.layout
        rows = np.empty((len(decoded), math.prod(self._schema.shape)), np.float32)
        means, log_variances = decoded[:, : layout.numbers], decoded[:, layout.width :]
        noise = random.standard_normal(means.shape, np.float32)
        scores = means + np.exp(0.5 * log_variances) * noise
        for place, (first, known) in enumerate(zip(self._numbers, self._quantiles, strict=True)):
            rows[:, first] = known.values_of(scores[:, place])
        for first, places in zip(self._categories, layout.category_places, strict=True):
            # The largest of logits with such noise is drawn with the probabilities of a softmax.
            likely = decoded[:, places] + random.gumbel(size=decoded[:, places].shape)
            likely[:, self._unseen[places]] = -np.inf
            rows[:, first] = np.argmax(likely, axis=1)
        return rows
