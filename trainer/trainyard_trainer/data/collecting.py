"""Rows on their way from a reader to where they are kept, checked in the pass that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import checks
from trainyard_trainer.data.reading import Progress, Reading
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import PIECE_BYTES, Place, kept_of
from trainyard_trainer.data.source import Arrays, PartName, Raw


class Gathering:
    """The rows of one part of a source, given in pieces."""

    def __init__(
        self, reading: Reading, residence: Residence, layout: checks.Layout, progress: Progress
    ) -> None:
        self._layout = layout
        self._bad = reading.bad
        self._progress = progress
        self._collector = residence.collect(layout.rows, layout.row, layout.kept)
        self._good: list[NDArray[np.bool_]] = []
        self._count = 0

    @property
    def at_once(self) -> int:
        """How many rows make a piece."""
        return rows_at_once(self._layout)

    def add(self, piece: NDArray[Any]) -> None:
        """Check and keep these rows, of the type and shape that they have in the source.

        Raises:
            InvalidData: more rows than allowed are no finite numbers.
            StoreUnavailable: there is no room on the disk.
        """
        good = checks.good_rows(piece, self._layout.name, self._count, self._bad)
        rows = piece if good.all() else piece[good]
        # A cast to the type in which they are kept never loses anything but extended precision.
        kept = rows.astype(self._layout.kept, copy=False)
        self._collector.add(kept.reshape(len(kept), *self._layout.row))
        self._good.append(good)
        self._count += len(piece)
        self._progress.add(piece.nbytes)

    def finish(self, labels: NDArray[Any]) -> Raw:
        """The rows that were kept, with their labels.

        Args:
            labels: of all rows that were given.
        """
        good = np.concatenate(self._good)
        kept = labels if good.all() else labels[good]
        return Raw(self._collector.finish(), kept, self._layout.name, _place(self._layout, good))


def rows_at_once(layout: checks.Layout) -> int:
    """How many rows of a layout make a piece."""
    return max(1, PIECE_BYTES // max(1, layout.row_bytes))


def gather(arrays: Mapping[PartName, Arrays], reading: Reading) -> dict[PartName, Raw]:
    """Arrays in memory as checked parts; they stay where they are, unless they do not fit.

    Raises:
        InvalidData: they cannot be learned from.
    """
    layouts = {
        part: checks.layout_of(each.features.shape, each.features.dtype, each.labels, each.name)
        for part, each in arrays.items()
    }
    residence = reading.residence.decided(sum(layout.bytes for layout in layouts.values()))
    progress = reading.progress(sum(each.features.nbytes for each in arrays.values()))
    found = {}
    for part, layout in layouts.items():
        features, labels = arrays[part].features, arrays[part].labels
        if residence.streaming == "never" and features.dtype == layout.kept:
            found[part] = _adopted(features, labels, layout, reading)
            continue
        gathering = Gathering(reading, residence, layout, progress)
        for first in range(0, len(features), gathering.at_once):
            gathering.add(features[first : first + gathering.at_once])
        found[part] = gathering.finish(labels)
    reading.bad.check()
    return found


def _adopted(
    features: NDArray[Any], labels: NDArray[Any], layout: checks.Layout, reading: Reading
) -> Raw:
    at_once = rows_at_once(layout)
    good = np.concatenate(
        [
            checks.good_rows(features[first : first + at_once], layout.name, first, reading.bad)
            for first in range(0, len(features), at_once)
        ]
    )
    if not good.all():
        features, labels = features[good], labels[good]
    rows = Resident(features.reshape(len(features), *layout.row))
    return Raw(rows, labels, layout.name, _place(layout, good))


def _place(layout: checks.Layout, good: NDArray[np.bool_]) -> Place:
    """Where the rows are that were kept."""
    number_of = kept_of(good)
    return lambda number: f"{layout.name}: row {number_of(number)}"
