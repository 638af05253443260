"""From labels as they were stored to what the model learns.

Classes may be numbers from anywhere, texts, truth values or one-hot rows, and keep their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec.data import Source
from trainyard_trainer.data.anomalies import rebuilding, shown
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.several_labels import are_lists, as_labels, is_multi_hot
from trainyard_trainer.data.target import CLASSES_OF_A_CHOICE, Classes, Quantities, Target, TaskName
from trainyard_trainer.errors import InvalidData

TASK_FIELD: Final = "spec.data.task"
_TOO_FEW_OF_EACH: Final = 2
_SMALL: Final = 20


@dataclass(frozen=True)
class Labels:
    """The labels of one part as they were stored.

    Attributes:
        values: shape (rows,) or (rows, outputs).
        name: of where they come from, for messages.
    """

    values: NDArray[Any]
    name: str


@dataclass(frozen=True)
class Learned:
    """What is learned.

    Attributes:
        parts: the targets of each part that was given.
        why: how the task was found, for people; empty where the spec names it.
    """

    target: Target
    parts: tuple[Targets, ...]
    why: str


def read_labels(
    field: str, wanted: TaskName | None, parts: Sequence[Labels], names: Sequence[str] = ()
) -> Learned:
    """The targets of all parts, alike in meaning.

    Args:
        field: of the spec that is wrong where the labels are.
        wanted: the task; None: it is told by the labels.
        names: of the columns that hold them, where they have some.

    Raises:
        InvalidData: labels that are missing, or that the task cannot learn.
    """
    plain = [_plain(field, part) for part in parts]
    together = np.concatenate([_alike(each, plain) for each in plain])
    task, why = (wanted, "") if wanted is not None else _task_of(together)
    where = parts[0].name
    ends = np.cumsum([len(each) for each in plain])[:-1]
    if task == "reconstruction":
        rebuilt, flags, told = rebuilding(_names(together))
        return Learned(rebuilt, tuple(np.split(flags, ends)), told)
    if task == "multi_label":
        labels, held = as_labels(field, where, together, tuple(names))
        return Learned(labels, tuple(np.split(held, ends)), why)
    if task == "classification":
        classes, numbers = _as_classes(field, where, together, tuple(names))
        return Learned(classes, tuple(np.split(numbers, ends)), why)
    quantities, values = _as_quantities(field, where, together, tuple(names))
    return Learned(quantities, tuple(np.split(values, ends)), why)


def the_label(source: Source) -> str | None:
    """The one column that holds the label, for sources which have no use for several.

    Raises:
        InvalidData: the spec names several.
    """
    if len(source.labels) > 1:
        raise InvalidData(
            "spec.data.source.label: several columns hold labels in csv and parquet alone; name "
            'one, whose cells may be lists such as "a;b"'
        )
    return source.labels[0] if source.labels else None


def task_notes(target: Target, why: str) -> list[str]:
    """What the labels told, for people; nothing where the spec says all of it."""
    return [f"task {target.task}: {why}"] if why else []


def _plain(field: str, labels: Labels) -> NDArray[Any]:
    """Labels as (rows,) or (rows, outputs) of truth values, numbers or texts; none missing."""
    values = labels.values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise InvalidData(
            f"{field}: {labels.name}: labels have the shape {values.shape}; a row needs one label, "
            "or one row of numbers"
        )
    if values.dtype.kind in "SO":
        values = _texts(field, labels.name, values)
    if values.dtype.kind not in "iubfU":
        raise InvalidData(
            f"{field}: {labels.name}: labels are of type {values.dtype}; give numbers or texts"
        )
    missing = ~np.isfinite(values) if values.dtype.kind == "f" else values == ""
    if values.dtype.kind in "fU" and missing.any():
        row = int(np.argwhere(missing)[0][0])
        raise InvalidData(
            f"{field}: {labels.name}: row {row} has no label (NaN, infinite or empty); "
            "drop the row or give it one"
        )
    return values


def _texts(field: str, name: str, values: NDArray[Any]) -> NDArray[Any]:
    try:
        texts = [
            each.decode() if isinstance(each, bytes) else "" if each is None else str(each)
            for each in values.ravel().tolist()
        ]
    except UnicodeDecodeError as error:
        raise InvalidData(f"{field}: {name}: a label is no UTF-8 ({error}); convert it") from error
    return np.array(texts, dtype=np.str_).reshape(values.shape)


def _alike(values: NDArray[Any], parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Labels in a type that those of all parts have in common."""
    if any(part.dtype.kind == "U" for part in parts):
        return values.astype(np.str_)
    return values


def _task_of(values: NDArray[Any]) -> tuple[TaskName, str]:
    """The task that labels speak of, and why."""
    if values.ndim == 2:
        if _is_one_hot(values):
            return "classification", "each row of labels has a single one"
        if is_multi_hot(values):
            return "multi_label", f"each row has 0 or 1 for {values.shape[1]} labels"
        return "regression", f"each row has {values.shape[1]} numbers to learn"
    if values.dtype.kind == "U" and are_lists(np.unique(values).tolist()):
        return "multi_label", "the labels are lists"
    if values.dtype.kind in "Ub":
        return "classification", "the labels are texts or truth values"
    if values.dtype.kind == "f" and not np.array_equal(np.rint(values), values):
        return "regression", "the labels have fractions"
    different = len(np.unique(values))
    if different > CLASSES_OF_A_CHOICE and different * 10 > len(values):
        return "regression", f"the labels have {different} different values in {len(values)} rows"
    return "classification", f"the labels have {different} different values"


def _is_one_hot(values: NDArray[Any]) -> bool:
    if values.dtype.kind == "U" or values.shape[1] < 2:
        return False
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())


def _names(values: NDArray[Any]) -> NDArray[Any]:
    """Labels as one a row."""
    return values.argmax(axis=1) if values.ndim == 2 and _is_one_hot(values) else values


def _as_classes(
    field: str, where: str, values: NDArray[Any], names: tuple[str, ...] = ()
) -> tuple[Classes, NDArray[np.int64]]:
    if values.ndim == 2:
        if not _is_one_hot(values):
            raise InvalidData(
                f"{field}: {where}: labels have the shape {values.shape}; classification learns "
                f"one class a row: give one label, or one-hot rows; or set {TASK_FIELD}: "
                f"{'multi_label' if is_multi_hot(values) else 'regression'}"
            )
        if len(names) != values.shape[1]:
            names = tuple(str(i) for i in range(values.shape[1]))
        return Classes(names), values.argmax(axis=1)
    if values.dtype.kind == "f":
        whole = np.rint(values)
        if not np.array_equal(whole, values):
            row = int(np.argmax(whole != values))
            raise InvalidData(
                f"{field}: {where}: row {row} has the label {values[row]:g}; classes are whole "
                f"numbers or texts: to learn numbers set {TASK_FIELD}: regression"
            )
        values = whole.astype(np.int64)
    found, numbers = np.unique(values, return_inverse=True)
    names = tuple(shown(each) for each in found)
    check_classes(field, where, names, len(values))
    return Classes(names), numbers.astype(np.int64)


def check_classes(field: str, where: str, names: Sequence[str], rows: int) -> None:
    """Make sure that so many classes can be learned from so many rows.

    Raises:
        InvalidData: they cannot.
    """
    if len(names) < 2:
        raise InvalidData(
            f"{field}: {where}: all rows have the label {names[0]}; "
            "a classification needs two classes or more"
        )
    if len(names) > _SMALL and len(names) * _TOO_FEW_OF_EACH > rows:
        raise InvalidData(
            f"{field}: {where}: {len(names)} different labels in {rows} rows are no classes "
            f"that can be learned; to learn numbers set {TASK_FIELD}: regression, or name "
            "another column"
        )


def _as_quantities(
    field: str, where: str, values: NDArray[Any], names: tuple[str, ...]
) -> tuple[Quantities, NDArray[np.float32]]:
    if values.dtype.kind == "U":
        texts = values.ravel().tolist()
        wrong = next((place for place, text in enumerate(texts) if not _is_number(text)), None)
        if wrong is not None:
            raise InvalidData(
                f"{field}: {where}: row {wrong * len(values) // len(texts)} has the label "
                f"{texts[wrong]!r}; regression learns numbers: to learn classes set "
                f"{TASK_FIELD}: classification"
            )
    numbers = values.astype(np.float64).reshape(len(values), -1)
    if np.ptp(numbers, axis=0).max() == 0:
        raise InvalidData(
            f"{field}: {where}: all rows have the label {numbers[0].tolist()}; "
            "there is nothing to learn"
        )
    outputs = numbers.shape[1]
    if len(names) != outputs:
        names = ("value",) if outputs == 1 else tuple(f"value_{i}" for i in range(outputs))
    return Quantities(names), numbers.astype(np.float32)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
