"""What the training part alone tells of each column: means, vocabularies, what fills a gap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_api.spec import Missing
from trainyard_api.words import words_of
from trainyard_trainer.data import shifting
from trainyard_trainer.data.moments import Moments
from trainyard_trainer.data.schema import Column, Spread
from trainyard_trainer.data.tables import values
from trainyard_trainer.data.words import WordCounts

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_VOCABULARY: Final = 10_000
"""Entries that a column's vocabulary has at most."""

_COUNTED: Final = 400_000
"""Different categories that are counted at once; beyond, the rarest are forgotten."""
_SAMPLE: Final = 2**23
"""Numbers of all columns together that are kept for medians: 64 MB."""
_LONGEST_TEXT: Final = 256
"""Words that are kept of a text at most."""
_LONG_ENOUGH: Final = 0.95
"""Share of texts of which all words are kept."""


class Statistics(Protocol):
    """What is gathered of a column of the training part."""

    def add(self, cells: pa.Array) -> None:
        """The next cells; plain ones."""

    def column(self, name: str) -> Column:
        """What they come to; its place in the row is not told yet."""

    def notes(self, name: str) -> Iterator[str]:
        """Sentences for people."""


def statistics_of(kind: ColumnKind, missing: Missing, columns: int, rows: int) -> Statistics:
    """What gathers a column of that kind.

    Args:
        columns: of the table, which share the memory that there is for samples.
        rows: of the training part.
    """
    if kind == "boolean":
        return _Truths(missing)
    if kind == "category":
        return _Categories()
    if kind == "text":
        return _Texts()
    stride = max(1, math.ceil(rows * columns / _SAMPLE))
    return _Numbers(kind, missing, stride)


class _Numbers:
    """Numbers and times. Moments are merged piece by piece (Chan, Golub, LeVeque, 1979)."""

    def __init__(self, kind: ColumnKind, missing: Missing, stride: int) -> None:
        """Args:
        stride: of so many numbers one is kept for the median and the most frequent one.
        """
        self._kind = kind
        self._missing = missing
        self._stride = stride
        self._sampling = missing.strategy in ("median", "most_frequent")
        self._sample: list[NDArray[np.float64]] = []
        self._count = 0
        self._mean = self._squares = 0.0
        self._lowest, self._highest = math.inf, -math.inf

    def add(self, cells: pa.Array) -> None:
        read = values.times if self._kind == "time" else values.numbers
        found = read(cells).values
        known = found[~np.isnan(found)]
        if not len(known):
            return
        if self._sampling:
            self._sample.append(known[-self._count % self._stride :: self._stride].copy())
        mean = float(known.mean())
        apart, total = mean - self._mean, self._count + len(known)
        self._squares += float(np.square(known - mean).sum())
        self._squares += apart * apart * self._count * len(known) / total
        self._mean += apart * len(known) / total
        self._count = total
        self._lowest = min(self._lowest, float(known.min()))
        self._highest = max(self._highest, float(known.max()))

    def column(self, name: str) -> Column:
        shift = self._shift()
        spread = Spread(
            self._mean - shift, self._deviation(), self._lowest - shift, self._highest - shift
        )
        fill = self._fill()
        filled = None if fill is None else fill - shift
        return Column(name, self._kind, 0, shift=shift, fill=filled, spread=spread)

    def notes(self, name: str) -> Iterator[str]:
        if self._kind == "number" and self._shift():
            yield shifting.describe([1.0], [name])

    def _deviation(self) -> float:
        return math.sqrt(self._squares / max(1, self._count))

    def _shift(self) -> float:
        if self._kind == "time":
            # Years would take all the digits that float32 has for the seconds.
            return self._mean
        mean, deviation, lowest, highest = (
            np.array([each])
            for each in (self._mean, self._deviation(), self._lowest, self._highest)
        )
        found = Moments(mean, deviation, lowest, highest)
        return float(shifting.needed_shift(found)[0])

    def _fill(self) -> float | None:
        strategy = self._missing.strategy
        if strategy in ("error", "drop"):
            return None
        if strategy == "constant" and self._kind == "number":
            return self._missing.fill
        if self._sampling:
            sample = np.concatenate(self._sample)
            if strategy == "median":
                return float(np.median(sample))
            found, counts = np.unique(sample, return_counts=True)
            return float(found[np.argmax(counts)])
        return self._mean


class _Truths:
    def __init__(self, missing: Missing) -> None:
        self._missing = missing
        self._counts = np.zeros(2, np.int64)

    def add(self, cells: pa.Array) -> None:
        found = values.truths(cells).values
        self._counts += np.bincount(found[~np.isnan(found)].astype(np.int64), minlength=2)

    def column(self, name: str) -> Column:
        filled = self._missing.strategy not in ("error", "drop")
        return Column(name, "boolean", 0, fill=float(np.argmax(self._counts)) if filled else None)

    def notes(self, name: str) -> Iterator[str]:
        if self._counts.sum() == 0:
            yield f"{name}: holds nothing in any row of the training part"


class _Categories:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._forgotten = False

    def add(self, cells: pa.Array) -> None:
        from pyarrow import compute

        counted: Any = compute.value_counts(values.texts(cells).drop_null())
        names, counts = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
        self._counts.update(dict(zip(names, counts, strict=True)))
        while len(self._counts) > _COUNTED:
            self._forgotten = True
            rare = sorted(self._counts.values())[len(self._counts) // 2]
            self._counts = Counter({k: n for k, n in self._counts.items() if n > rare})

    def column(self, name: str) -> Column:
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        kept = sorted(entry for entry, _ in ordered[:LARGEST_VOCABULARY])
        return Column(name, "category", 0, vocabulary=tuple(kept))

    def notes(self, name: str) -> Iterator[str]:
        beyond = len(self._counts) - LARGEST_VOCABULARY
        if beyond > 0:
            many = "many" if self._forgotten else f"{beyond} rarest"
            yield (
                f"{name}: the {LARGEST_VOCABULARY} most frequent categories are told apart, "
                f"{many} others are unknown to the model"
            )


class _Texts:
    def __init__(self) -> None:
        self._words = WordCounts()
        self._lengths = np.zeros(_LONGEST_TEXT + 1, np.int64)

    def add(self, cells: pa.Array) -> None:
        found = values.texts(cells).drop_null().to_pylist()
        self._words.add(found)
        lengths = [min(len(words_of(text)), _LONGEST_TEXT) for text in found]
        self._lengths += np.bincount(np.array(lengths, np.int64), minlength=_LONGEST_TEXT + 1)

    def column(self, name: str) -> Column:
        shares = np.cumsum(self._lengths) / max(1, self._lengths.sum())
        width = max(1, int(np.searchsorted(shares, _LONG_ENOUGH)))
        vocabulary = self._words.vocabulary(LARGEST_VOCABULARY)
        return Column(name, "text", 0, min(width, _LONGEST_TEXT), vocabulary=vocabulary)

    def notes(self, name: str) -> Iterator[str]:
        column = self.column(name)
        yield (
            f"{name}: read word by word, {column.width} words of a text, "
            f"{len(column.vocabulary) - 1} different ones"
        )


def placed(columns: list[Column]) -> tuple[Column, ...]:
    """Columns, each after the other in the encoded row."""
    first, found = 0, []
    for column in columns:
        found.append(replace(column, first=first))
        first += column.width
    return tuple(found)
