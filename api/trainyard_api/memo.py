"""Remembering what follows from a document, by the document itself.

Documents are frozen, so what was worked out of one holds for as long as it is the same object;
comparing two of them, or hashing one, costs more than most of what is worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from trainyard_api.model import Document

D = TypeVar("D", bound=Document)
R = TypeVar("R")

_REMEMBERED = 512


def by_identity(function: Callable[[D], R]) -> Callable[[D], R]:
    """A pure function of a document that remembers its results for the documents it saw last.

    The result must not be changed by who gets it.
    """
    remembered: dict[int, tuple[D, R]] = {}

    @wraps(function)
    def remember(document: D) -> R:
        # The document is kept with the result, so that its id stays its own.
        known = remembered.get(id(document))
        if known is not None:
            return known[1]
        result = function(document)
        remembered[id(document)] = document, result
        if len(remembered) > _REMEMBERED:
            del remembered[next(iter(remembered))]
        return result

    return remember
