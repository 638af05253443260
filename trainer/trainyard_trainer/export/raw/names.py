"""Columns' names as names of a signature's inputs.

TensorFlow takes Latin letters, digits and `_`, `.`, `-`, begun by a letter or a digit, tells no
capitals apart when it looks for two that are the same, and makes them parameters of a function.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

_NOT_TAKEN: Final = re.compile(r"[^A-Za-z0-9_.-]")
_NO_PARAMETERS: Final = ("self", *keyword.kwlist)


def input_names(columns: Sequence[str]) -> tuple[str, ...]:
    """A name for each column: its own, with `_` for each character that TensorFlow does not take.

    Where that is no name, `column` comes before it; where it is taken, a number behind.

    Example:
        >>> input_names(["age", "Capital gain", "capital-gain", "_id"])
        ('age', 'Capital_gain', 'capital-gain_2', 'column_id')
    """
    names: list[str] = []
    taken = {_compared(name) for name in _NO_PARAMETERS}
    for column in columns:
        name = _NOT_TAKEN.sub("_", column)
        if not name[:1].isalnum():
            name = f"column{name}"
        free = next(each for each in _numbered(name) if _compared(each) not in taken)
        taken.add(_compared(free))
        names.append(free)
    return tuple(names)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _compared(name: str) -> str:
    """What of a name TensorFlow tells apart: the parameter of a function that it becomes."""
    parameter = re.sub(r"\W", "_", name).lower()
    return parameter if parameter[0].isalpha() else f"arg_{parameter}"
