"""The labels of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_trainer.data.labels import Labels, Learned, check_classes, read_labels
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
    return _named(kept, present, task, where)


def _named(
    kept: Kept, parts: Sequence[NDArray[np.int64]], task: TaskName | None, where: str
) -> Learned:
    """Classes that have names. Beside what is returned, it costs four bytes a row."""
    names, codes = kept.texts()
    counts = np.sum([np.bincount(codes[rows], minlength=len(names)) for rows in parts], axis=0)
    used = sorted(np.flatnonzero(counts).tolist(), key=lambda code: names[code])
    check_classes(LABEL_FIELD, where, [names[code] for code in used], int(counts.sum()))
    class_of = np.zeros(len(names), np.int64)
    class_of[used] = np.arange(len(used))
    classes = Classes(tuple(names[code] for code in used))
    why = "" if task is not None else "the labels are texts or truth values"
    return Learned(classes, tuple(class_of[codes[rows]] for rows in parts), why)


def _numbers(kept: Kept, kind: ColumnKind) -> NDArray[Any]:
    values = kept.numbers()
    if kind == "boolean":
        return values == 1.0
    known = values[~np.isnan(values)]
    whole = np.array_equal(np.rint(known), known)
    return np.nan_to_num(values).astype(np.int64) if whole else values
