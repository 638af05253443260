"""Which columns of a table are learned, and which are learned from."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from trainyard_api.listing import listed
from trainyard_api.spec import Data
from trainyard_trainer.data import splitting
from trainyard_trainer.data.tables import kinds, series, targets
from trainyard_trainer.data.tables.table import Table
from trainyard_trainer.errors import InvalidData

FEATURES_FIELD: Final = "spec.data.source.features"
LISTED: Final = 12
"""Columns that a message names."""


def labels_of(table: Table, data: Data) -> tuple[str, ...]:
    """The columns that hold labels; none where rows themselves are learned.

    Raises:
        InvalidData: the spec names none, or one that is not there.
    """
    labels = data.source.labels
    if not labels and data.task != "reconstruction":
        raise InvalidData(
            f"{targets.LABEL_FIELD}: is required: the column that is to be learned; "
            f"{data.source.uri} has {listed(table.columns, LISTED)}"
        )
    for name in labels:
        _check(table, data, name, targets.LABEL_FIELD)
    return labels


def features_of(table: Table, data: Data, labels: Sequence[str]) -> list[str]:
    """The columns that may be learned from.

    Raises:
        InvalidData: the spec names a column that is not there.
    """
    source, split = data.source, data.split
    of_series = None if data.window is None else data.window.series
    for name, field in (
        (of_series, f"{series.FIELD}.series"),
        (split.groups, f"{splitting.FIELD}.groups"),
        (split.time, f"{splitting.FIELD}.time"),
        *((name, kinds.COLUMNS_FIELD) for name in source.columns),
        *((name, FEATURES_FIELD) for name in source.features or ()),
    ):
        if name is not None:
            _check(table, data, name, field)
    # Of a window, what a label was before is something to learn from.
    hidden = () if data.window is not None else tuple(labels)
    if source.features is not None:
        return [name for name in dict.fromkeys(source.features) if name not in hidden]
    apart = (*hidden, split.groups, split.time, of_series)
    features = [name for name in table.columns if name not in apart]
    table.check([name for name in (*features, *labels, *apart) if name is not None])
    return features


def _check(table: Table, data: Data, name: str, field: str) -> None:
    """Make sure that there is a column of that name, in all files.

    Raises:
        InvalidData: there is none.
    """
    if name not in table.columns:
        near = difflib.get_close_matches(name, table.columns, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidData(
            f"{field}: {data.source.uri} has no column {name}; {hint}"
            f"It has {listed(table.columns, LISTED)}"
        )
    table.check([name])
