"""A table whose rows are steps of series: its windows, by the parts of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_api.listing import listed
from trainyard_api.spec import Window
from trainyard_trainer.data.rows import Numbers, Place
from trainyard_trainer.data.source import PartName
from trainyard_trainer.data.splitting import FIELD as SPLIT_FIELD
from trainyard_trainer.data.tables.kinds import COLUMNS_FIELD
from trainyard_trainer.data.tables.survey import Survey
from trainyard_trainer.data.windows import Series, Windows
from trainyard_trainer.errors import InvalidData

FIELD: Final = "spec.data.window"
_NAMED: Final = 3
_TIED: Final = 0.05
"""Share of steps whose time another step of their series has: an hour that a change of clocks
repeats is less, and several series in one are more."""


@dataclass(frozen=True)
class TableWindows:
    """The windows of a table.

    Attributes:
        parts: those of each part that the source brings; none reaches into another.
        clock: of each row of the table, what orders labels: their time, or how much of its series
            is over.
        notes: sentences for people.
    """

    parts: Mapping[PartName, Windows]
    clock: NDArray[np.float64]
    notes: tuple[str, ...]

    def all(self) -> Windows:
        """Those of all parts, one part after another."""
        every = list(self.parts.values())
        sizes = np.cumsum([0, *(len(each.order) for each in every)])[:-1]
        starts = [each.starts + first for each, first in zip(every, sizes, strict=True)]
        order = np.concatenate([each.order for each in every])
        return Windows(order, np.concatenate(starts), every[0].length, every[0].horizon)

    def numbers(self) -> dict[PartName, Numbers]:
        """Of each part's windows, their numbers among all."""
        first, found = 0, {}
        for part, windows in self.parts.items():
            found[part] = np.arange(first, first + len(windows), dtype=np.int64)
            first += len(windows)
        return found


def check_kinds(kinds: Mapping[str, ColumnKind]) -> None:
    """Make sure that columns can be those of steps.

    Raises:
        InvalidData: one holds texts.
    """
    if texts := [name for name, kind in kinds.items() if kind == "text"]:
        raise InvalidData(
            f"{FIELD}: {texts[0]} holds texts, of which a step has none; let "
            f"spec.data.source.features name the other columns, or set {COLUMNS_FIELD}: "
            f"{{{texts[0]}: category}}"
        )


def windows_of(
    window: Window,
    seen: Survey,
    rows: Mapping[PartName, Numbers],
    good: NDArray[np.bool_],
    place: Place,
) -> TableWindows:
    """The windows of the parts of a table.

    Args:
        rows: of each part, all of them, in the order of the table.
        good: of all rows, those that can be used.

    Raises:
        InvalidData: a series is shorter than a window and its horizon, or too much of it cannot be
            used.
    """
    names = None if seen.groups is None else seen.groups.codes()
    times = None if seen.times is None else seen.times.numbers()
    called = [] if seen.groups is None else list(seen.groups.names)
    parts: dict[PartName, Windows] = {}
    shares = np.zeros(seen.rows, np.float64)
    notes: list[str] = []
    for part, numbers in rows.items():
        series = Series.of(numbers, names, times)
        where = "the table" if len(rows) == 1 else f"the {part} part"
        _check_lengths(window, series, where, names, called)
        if times is not None:
            notes += _ties(series, names, times, place)
        parts[part] = found = series.windows(window, good)
        if not len(found):
            raise InvalidData(
                f"{FIELD}: no {window.length + window.horizon} steps of {where} follow each other "
                f"without a row that is left out; make length smaller, or let "
                "spec.data.cleaning.missing fill what is missing"
            )
        shares[series.order] = series.shares()
        notes.append(_told(series, found, good, where))
    return TableWindows(parts, shares if times is None else times, tuple(notes))


def _check_lengths(
    window: Window,
    series: Series,
    where: str,
    names: NDArray[np.int32] | None,
    called: Sequence[str],
) -> None:
    needed = window.length + window.horizon
    short = np.flatnonzero(series.lengths < needed)
    if not len(short):
        return
    asked = f"a window of {window.length} and its label, {window.horizon} later, take {needed}"
    steps = int(series.lengths.min())
    fits = steps - window.horizon
    cure = f"make length at most {fits}" if fits > 0 else "make length and horizon smaller"
    if names is None:
        raise InvalidData(
            f"{FIELD}.length: {where} has {steps} steps, and {asked}; {cure}, or bring more steps"
        )
    found = [called[int(names[series.order[series.begins[each]]])] for each in short]
    raise InvalidData(
        f"{FIELD}.length: {len(short)} of {len(series.lengths)} series of {where} are too short "
        f"({listed(found, _NAMED)}; the shortest has {steps} steps), and {asked}; {cure}, or take "
        "these series out of the table"
    )


def _ties(
    series: Series, names: NDArray[np.int32] | None, times: NDArray[np.float64], place: Place
) -> list[str]:
    """What is told of steps that have the time of the one before.

    Raises:
        InvalidData: there are too many for one series.
    """
    tied = np.diff(times[series.order]) == 0.0
    if names is not None:
        tied &= np.diff(names[series.order]) == 0
    count = int(tied.sum())
    if not count:
        return []
    first = int(np.flatnonzero(tied)[0])
    where = f"{place(int(series.order[first]))} and {place(int(series.order[first + 1]))}"
    if count > _TIED * len(series.order):
        raise InvalidData(
            f"{SPLIT_FIELD}.time: {count} of {len(series.order)} steps have the time of another "
            f"({where}); are they of several series? Name the column that tells them apart in "
            f"{FIELD}.series"
        )
    return [
        f"{count} steps have the time of another ({where}, for example); they stay in the order of "
        "the table"
    ]


def _told(series: Series, found: Windows, good: NDArray[np.bool_], where: str) -> str:
    steps = len(series.order)
    told = (
        f"windows: {steps} steps of {len(series.lengths)} series in {where} give {len(found)} of "
        f"{found.length} steps, and the label is that of "
        + ("the next" if found.horizon == 1 else f"{found.horizon} steps later")
    )
    left_out = steps - int(good[series.order].sum())
    return f"{told}; none reaches across the {left_out} rows left out" if left_out else told
