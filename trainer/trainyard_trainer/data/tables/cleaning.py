"""Rows of a table that cannot be used: cells of another kind, no label, nothing in a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_api.spec import Data, Missing
from trainyard_trainer.data.bad_rows import BadRows
from trainyard_trainer.data.rows import Place
from trainyard_trainer.data.splitting import FIELD as SPLIT_FIELD
from trainyard_trainer.data.tables.kinds import COLUMNS_FIELD
from trainyard_trainer.data.tables.resident_columns import MISSING
from trainyard_trainer.data.tables.series import FIELD as WINDOW_FIELD
from trainyard_trainer.data.tables.survey import Survey
from trainyard_trainer.data.tables.targets import LabelColumn
from trainyard_trainer.errors import InvalidData

_FIELD: Final = "spec.data.cleaning.missing"
_LISTED: Final = 5
_ANOTHER: Final = {
    "number": "no number (or one larger than 1e18)",
    "boolean": "neither true nor false",
    "time": "no time (YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss)",
}


def leave_out_wrong(
    good: NDArray[np.bool_],
    seen: Survey,
    decided: Mapping[str, ColumnKind],
    place: Place,
    bad: BadRows,
) -> None:
    """Leave out rows in which a column holds something else than its kind.

    Raises:
        InvalidData: there are too many.
    """
    for name, kind in decided.items():
        trial = seen.columns[name].trials.get(kind)
        if trial is None:
            continue
        for row, held in trial.first:
            if good[row]:
                good[row] = False
                bad.leave_out(
                    place(row),
                    f"column {name}: {held[:40]!r} is {_ANOTHER[kind]}",
                    f"mend it, or set {COLUMNS_FIELD}: {{{name}: category}}",
                )


def leave_out_unlabelled(
    good: NDArray[np.bool_],
    label: LabelColumn,
    place: Place,
    bad: BadRows,
    drop: bool,
) -> list[str]:
    """Leave out rows without a label.

    Args:
        drop: whether rows with gaps are dropped, and these with them.

    Returns:
        Sentences for people.

    Raises:
        InvalidData: there are too many.
    """
    name, kept = label.name, label.kept
    if label.kind == "category":
        wrong = np.zeros(len(good), np.bool_)
        absent = kept.texts()[1] == MISSING
    else:
        wrong, absent = kept.wrong(), kept.absent()
    for row in np.flatnonzero(wrong & good):
        held = kept.shown(int(row))
        bad.leave_out(
            place(int(row)),
            f"column {name}: the label {str(held)[:40]!r} is no number",
            "mend it; or, to learn classes, set spec.data.task: classification",
        )
    if not drop:
        for row in np.flatnonzero(absent & good):
            bad.leave_out(
                place(int(row)), f"column {name}: has no label", "drop the row or give it one"
            )
    count = int((absent & good).sum())
    good &= ~(wrong | absent)
    return [f"{count} rows without a label are dropped"] if drop and count else []


def check_dividing(seen: Survey, data: Data, place: Place) -> None:
    """Make sure that each row has its group (or series), and its time.

    Raises:
        InvalidData: one has none.
    """
    if seen.groups is not None:
        without = np.flatnonzero(seen.groups.codes() == MISSING)
        field, name, what = f"{SPLIT_FIELD}.groups", data.split.groups, "group"
        if data.window is not None:
            field, name, what = f"{WINDOW_FIELD}.series", data.window.series, "series' name"
        if len(without):
            raise InvalidData(
                f"{field}: {place(int(without[0]))}: {name} holds no {what} "
                f"({len(without)} such rows); give each row one"
            )
    if seen.times is not None:
        without = np.flatnonzero(np.isnan(seen.times.numbers()))
        if len(without):
            raise InvalidData(
                f"{SPLIT_FIELD}.time: {place(int(without[0]))}: {data.split.time} holds no time "
                f"({len(without)} such rows); write YYYY-MM-DD, YYYY-MM-DDThh:mm:ss, or seconds"
            )


def drop_missing(
    good: NDArray[np.bool_],
    seen: Survey,
    decided: Mapping[str, ColumnKind],
    missing: Missing,
    place: Place,
) -> Iterator[str]:
    """Drop rows with gaps, or refuse them, or let them be filled, as the spec says.

    Texts may be empty.

    Raises:
        InvalidData: there are gaps, and the spec does not say what is done about them.
    """
    gaps = {
        name: seen.columns[name]
        for name, kind in decided.items()
        if kind != "text" and seen.columns[name].missing
    }
    if not gaps:
        return
    named = [f"{name} in {each.missing} rows" for name, each in list(gaps.items())[:_LISTED]]
    more = f" and {len(gaps) - _LISTED} columns more" if len(gaps) > _LISTED else ""
    told = ", ".join(named) + more
    if missing.strategy == "error":
        first = min(each.first_missing for each in gaps.values())
        raise InvalidData(
            f"{_FIELD}.strategy: is error, and values are missing: {told} (the first in "
            f"{place(first)}); set it to median, most_frequent, mean, constant or drop"
        )
    if missing.strategy != "drop":
        yield f"missing values are filled in ({missing.strategy}): {told}"
        return
    before = int(good.sum())
    for name in gaps:
        good &= ~seen.absent[name]
    yield f"{before - int(good.sum())} of {before} rows with missing values are dropped: {told}"
