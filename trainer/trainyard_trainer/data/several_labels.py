"""Labels of which a row may have several: rows of 0 and 1, or lists of names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.target import SeveralLabels
from trainyard_trainer.errors import InvalidData

SEPARATOR: Final = ";"
"""Between the labels of a cell."""
MOST: Final = 1024
"""Labels: a row's target has a number for each."""

_LISTS: Final = 'a list such as "a;b" or ["a", "b"]'


def is_multi_hot(values: NDArray[Any]) -> bool:
    """Whether rows have 0 or 1 in each of several places."""
    if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind == "U":
        return False
    return bool(((values == 0) | (values == 1)).all())


def are_lists(texts: Sequence[str]) -> bool:
    """Whether different cells are lists of labels, rather than names of classes.

    JSON tells it by itself. A separator alone may be part of a name: it tells of lists where they
    are made of fewer labels than there are different lists.
    """
    if not texts:
        return False
    if all(text.startswith("[") and text.endswith("]") for text in texts):
        return True
    separated = [_separated(text) for text in texts]
    labels = {label for each in separated for label in each}
    return any(len(each) > 1 for each in separated) and len(labels) < len(texts)


def as_labels(
    field: str, where: str, values: NDArray[Any], names: tuple[str, ...]
) -> tuple[SeveralLabels, NDArray[np.float32]]:
    """Of rows of 0 and 1, (rows, labels), or of a cell with a list for each row, (rows,).

    Raises:
        InvalidData: they are neither, or there is one label alone.
    """
    if values.ndim == 1 and values.dtype.kind == "U":
        texts, codes = np.unique(values, return_inverse=True)
        labels, held = listed(field, where, texts.tolist())
        return labels, held[codes]
    if not is_multi_hot(values):
        raise InvalidData(
            f"{field}: {where}: the labels are no 0 and 1 for each of two labels or more, and no "
            f"{_LISTS}; mend them, or set spec.data.task to what they are"
        )
    outputs = values.shape[1]
    if len(names) != outputs:
        names = tuple(str(each) for each in range(outputs))
    _check_count(field, where, names)
    return SeveralLabels(names), values.astype(np.float32)


def listed(
    field: str, where: str, texts: Sequence[str]
) -> tuple[SeveralLabels, NDArray[np.float32]]:
    """All labels of different cells, in the order of their names, and which of them each cell has.

    Returns:
        Labels, and 0 or 1: (cells, labels).

    Raises:
        InvalidData: a cell is no list, or there is one label alone.
    """
    cells = [_of_cell(field, where, text) for text in texts]
    names = tuple(sorted({label for cell in cells for label in cell}))
    _check_count(field, where, names)
    place = {name: index for index, name in enumerate(names)}
    held = np.zeros((len(cells), len(names)), np.float32)
    for row, cell in enumerate(cells):
        held[row, [place[label] for label in cell]] = 1.0
    return SeveralLabels(names), held


def _check_count(field: str, where: str, names: tuple[str, ...]) -> None:
    if len(names) < 2:
        only = f"the label {names[0]} alone" if names else "no label"
        raise InvalidData(
            f"{field}: {where}: the rows have {only}; several labels are two or more: to learn "
            "classes set spec.data.task: classification"
        )
    if len(names) > MOST:
        raise InvalidData(
            f"{field}: {where}: there are {len(names)} different labels, and up to {MOST} can be "
            "learned; leave out rare ones"
        )


def _of_cell(field: str, where: str, text: str) -> list[str]:
    if not text.startswith("["):
        return _separated(text)
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    if not isinstance(labels, list) or any(isinstance(each, (list, dict)) for each in labels):
        raise InvalidData(
            f"{field}: {where}: the label {text[:40]!r} is no list; write {_LISTS}, or [] for a "
            "row without labels"
        )
    return [each if isinstance(each, str) else json.dumps(each) for each in labels if each != ""]


def _separated(text: str) -> list[str]:
    return [label for each in text.split(SEPARATOR) if (label := each.strip())]
