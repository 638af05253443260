"""The labels of a table: a column, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_trainer.data.anomalies import check_told, rebuilding
from trainyard_trainer.data.labels import Labels, Learned, check_classes, read_labels
from trainyard_trainer.data.several_labels import are_lists, listed
from trainyard_trainer.data.source import PARTS, PartName
from trainyard_trainer.data.tables import kinds
from trainyard_trainer.data.tables.resident_columns import Kept
from trainyard_trainer.data.tables.survey import Seen
from trainyard_trainer.data.target import NORMAL, Classes, Rebuilding, TaskName
from trainyard_trainer.errors import InvalidData

LABEL_FIELD: Final = "spec.data.source.label"


@dataclass(frozen=True)
class LabelColumn:
    """A column that holds labels.

    Attributes:
        kept: its cells, of all rows.
    """

    name: str
    kind: ColumnKind
    kept: Kept


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
    if task == "multi_label" and seen.texts and name not in overridden:
        return "category"
    decided = kinds.decide(name, seen, rows, overridden).kind
    if decided is None and seen.missing == rows:
        raise InvalidData(f"{LABEL_FIELD}: {name} holds nothing in any row; name another column")
    if decided == "time":
        raise InvalidData(f"{LABEL_FIELD}: {name} holds times, which cannot be learned")
    # Answers such as yes and no keep the names that they have.
    is_named = seen.texts and decided != "number"
    return "category" if is_named or decided is None else decided


def learned_from(
    labels: Sequence[LabelColumn],
    parts: Mapping[PartName, NDArray[np.int64]],
    task: TaskName | None,
    where: str,
) -> Learned:
    """The targets of each part's rows, in the order of `PARTS`.

    Args:
        labels: none only where rows themselves are learned.
        parts: numbers of the rows of each part that there is.
        where: they come from, for messages.

    Raises:
        InvalidData: they cannot be learned.
    """
    present = [parts[part] for part in PARTS if part in parts]
    if not labels:
        learned = [np.full(len(rows), NORMAL, np.int64) for rows in present]
        return Learned(Rebuilding(), tuple(learned), "")
    if len(labels) == 1 and labels[0].kind == "category":
        return _named(labels[0].kept, present, task, where)
    values = _numbers(labels, where)
    read = read_labels(
        LABEL_FIELD,
        task,
        [Labels(values[rows], where) for rows in present],
        tuple(label.name for label in labels),
    )
    if len(labels) == 1:
        check_told(LABEL_FIELD, where, read.target, len(np.unique(values)))
    return read


def _named(
    kept: Kept, parts: Sequence[NDArray[np.int64]], task: TaskName | None, where: str
) -> Learned:
    """Labels that have names. Beside what is returned, it costs four bytes a row."""
    names, codes = kept.texts()
    counts = np.sum([np.bincount(codes[rows], minlength=len(names)) for rows in parts], axis=0)
    used = sorted(np.flatnonzero(counts).tolist(), key=lambda code: names[code])
    place_of = np.zeros(len(names), np.int64)
    place_of[used] = np.arange(len(used))
    texts = [names[code] for code in used]
    if task == "reconstruction":
        rebuilt = _anomalies(texts, [place_of[codes[rows]] for rows in parts])
        check_told(LABEL_FIELD, where, rebuilt.target, len(texts))
        return rebuilt
    if task == "multi_label" or (task is None and are_lists(texts)):
        several, held = listed(LABEL_FIELD, where, texts)
        why = "" if task is not None else "the label's cells are lists"
        return Learned(several, tuple(held[place_of[codes[rows]]] for rows in parts), why)
    check_classes(LABEL_FIELD, where, texts, int(counts.sum()))
    why = "" if task is not None else "the labels are texts or truth values"
    return Learned(Classes(tuple(texts)), tuple(place_of[codes[rows]] for rows in parts), why)


def _anomalies(names: Sequence[str], parts: Sequence[NDArray[np.int64]]) -> Learned:
    """Which rows are anomalies by the place of their label among `names`."""
    target, flags, why = rebuilding(np.concatenate(parts), names)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return Learned(target, tuple(np.split(flags, ends)), why)


def _numbers(labels: Sequence[LabelColumn], where: str) -> NDArray[Any]:
    """Labels that have no names: (rows,), or (rows, columns) of several."""
    if named := [label.name for label in labels if label.kind == "category"]:
        raise InvalidData(
            f"{LABEL_FIELD}: {where}: the column {named[0]} holds texts; of several columns each "
            "holds 0 and 1, or numbers: mend it, or name one column alone"
        )
    if len(labels) == 1:
        return _numbers_of(labels[0])
    return np.stack([_numbers_of(label).astype(np.float64) for label in labels], axis=1)


def _numbers_of(label: LabelColumn) -> NDArray[Any]:
    values = label.kept.numbers()
    if label.kind == "boolean":
        return values == 1.0
    known = values[~np.isnan(values)]
    whole = np.array_equal(np.rint(known), known)
    return np.nan_to_num(values).astype(np.int64) if whole else values
