"""Rows that are equal: in the training part, or in it and in one that judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.cleaning import fingerprints
from trainyard_trainer.data.cleaning.fingerprints import Fingerprints
from trainyard_trainer.data.rows import Numbers, Part

_SAMPLE: Final = 2**20
"""About so many rows tell how often rows repeat."""


@dataclass(frozen=True)
class Twins:
    """Rows of a part, each with one that it equals.

    Attributes:
        places: of the rows, ascending.
        parts: index of the part in which the other is.
        others: its place in that part.
    """

    places: Numbers
    parts: Numbers
    others: Numbers

    def __len__(self) -> int:
        return len(self.places)


def in_others(part: Part, others: Sequence[Part]) -> Twins:
    """Rows of a part that one of the others has as well; their targets may differ.

    Of all fingerprints, those of the others are in memory: 16 bytes a row.
    """
    dtype = fingerprints.common_type(part, *others)
    prints = np.concatenate([fingerprints.all_of(other, dtype) for other in others])
    ends = np.cumsum([len(other) for other in others])
    order = np.argsort(prints, kind="stable")
    prints = prints[order]
    places: list[Numbers] = [np.empty(0, np.int64)]
    found: list[Numbers] = [np.empty(0, np.int64)]
    for first, own in fingerprints.pieces(part, dtype):
        at = np.minimum(np.searchsorted(prints, own), max(0, len(prints) - 1))
        hits = np.flatnonzero(prints[at] == own) if len(prints) else at[:0]
        places.append(first + hits)
        found.append(order[at[hits]])
    candidates, among = np.concatenate(places), np.concatenate(found)
    parts = np.searchsorted(ends, among, side="right")
    among -= np.concatenate([[0], ends[:-1]])[parts]
    equal = np.zeros(len(candidates), np.bool_)
    for index, other in enumerate(others):
        here = np.flatnonzero(parts == index)
        equal[here] = _equal(part, candidates[here], other, among[here], dtype)
    return Twins(candidates[equal], parts[equal], among[equal])


def inside(part: Part) -> Twins:
    """Rows of a part that stand in it before, with the same target. Costs 24 bytes a row."""
    dtype = part.source.dtype
    prints = fingerprints.all_of(part, dtype)
    prints += Fingerprints(part.targets.shape[1:], part.targets.dtype).of(part.targets)
    order = np.argsort(prints, kind="stable")
    begins = np.flatnonzero(np.diff(prints[order], prepend=~prints[order[:1]]) != 0)
    of_group = np.repeat(order[begins], np.diff(begins, append=len(order)))
    again = of_group != order
    places, firsts = order[again], of_group[again]
    ascending = np.argsort(places)
    places, firsts = places[ascending], firsts[ascending]
    equal = _equal(part, places, part, firsts, dtype)
    other = part.targets[places] != part.targets[firsts]
    equal &= ~other.any(axis=tuple(range(1, other.ndim)))
    return Twins(places[equal], np.zeros(int(equal.sum()), np.int64), firsts[equal])


def repetition(part: Part) -> float:
    """The share of a part's rows that stand in it before, whatever their targets.

    Told by a sample of rows, of which all equal ones are in it, or none.
    """
    every = np.uint64(max(1, len(part) // _SAMPLE))
    sample = np.concatenate(
        [
            np.empty(0, np.uint64),
            *(own[own % every == 0] for _, own in fingerprints.pieces(part, part.source.dtype)),
        ]
    )
    return 1.0 - len(np.unique(sample)) / len(sample) if len(sample) else 0.0


def _equal(
    one: Part, places: Numbers, other: Part, among: Numbers, dtype: np.dtype[Any]
) -> NDArray[np.bool_]:
    """Which rows are equal indeed, bit by bit: what is missing equals what is missing."""
    at_once = one.at_once()
    equal = np.zeros(len(places), np.bool_)
    for first in range(0, len(places), at_once):
        some = slice(first, first + at_once)
        left, right = (
            np.ascontiguousarray(part.take(numbers[some]).features, dtype).reshape(
                len(numbers[some]), -1
            )
            for part, numbers in ((one, places), (other, among))
        )
        equal[some] = (left.view(np.uint8) == right.view(np.uint8)).all(axis=1)
    return equal
