"""The labels of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_trainer.data.labels import Labels, Learned, read_labels
from trainyard_trainer.data.source import PARTS, PartName
from trainyard_trainer.data.tables import kinds
from trainyard_trainer.data.tables.resident_columns import Kept
from trainyard_trainer.data.tables.survey import Seen
from trainyard_trainer.data.target import Classes, TaskName
from trainyard_trainer.errors import InvalidData

LABEL_FIELD: Final = "spec.data.source.label"


def label_kind(
    name: str,
    seen: Seen,
    rows: int,
    task: TaskName | None,
    overridden: Mapping[str, ColumnKind],
) -> ColumnKind:
    """What labels are: numbers, truth values or categories.

    Raises:
        InvalidData: they are nothing that can be learned.
    """
    if task == "regression" and seen.texts:
        return "number"
    decided = kinds.decide(name, seen, rows, overridden).kind
    if decided is None and seen.missing == rows:
        raise InvalidData(f"{LABEL_FIELD}: {name} holds nothing in any row; name another column")
    if decided == "time":
        raise InvalidData(f"{LABEL_FIELD}: {name} holds times, which cannot be learned")
    # Answers such as yes and no keep the names that they have.
    is_named = seen.texts and decided != "number"
    return "category" if is_named or decided is None else decided


def learned_from(
    name: str,
    kind: ColumnKind,
    kept: Kept,
    parts: Mapping[PartName, NDArray[np.int64]],
    task: TaskName | None,
    where: str,
) -> Learned:
    """The targets of each part's rows, in the order of `PARTS`.

    Args:
        parts: numbers of the rows of each part that there is.
        where: they come from, for messages.

    Raises:
        InvalidData: they cannot be learned.
    """
    present = [parts[part] for part in PARTS if part in parts]
    if kind != "category":
        values = _numbers(kept, kind)
        labels = [Labels(values[rows], where) for rows in present]
        return read_labels(LABEL_FIELD, task, labels, (name,))
    names, codes = kept.texts()
    order = np.argsort(np.array(names, np.str_))
    ranks = np.empty(len(names), np.int64)
    ranks[order] = np.arange(len(names))
    used = np.unique(ranks[codes[np.concatenate(present)]])
    if len(used) == 1:
        raise InvalidData(
            f"{LABEL_FIELD}: {where}: all rows have the label {names[order[used[0]]]}; a "
            "classification needs two classes or more"
        )
    labels = [Labels(ranks[codes[rows]], where) for rows in present]
    learned = read_labels(LABEL_FIELD, "classification", labels)
    assert isinstance(learned.target, Classes)
    named = Classes(tuple(names[order[int(code)]] for code in learned.target.names))
    why = "" if task is not None else "the labels are texts"
    return replace(learned, target=named, why=why)


def _numbers(kept: Kept, kind: ColumnKind) -> NDArray[Any]:
    values = kept.numbers()
    if kind == "boolean":
        return values == 1.0
    known = values[~np.isnan(values)]
    whole = np.array_equal(np.rint(known), known)
    return np.nan_to_num(values).astype(np.int64) if whole else values
