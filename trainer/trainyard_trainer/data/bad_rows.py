"""Rows that cannot be read: left out and counted, up to the number that the spec allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData

LIMIT_FIELD: Final = "spec.data.source.maxBadRows"

_LISTED: Final = 5


@dataclass(frozen=True)
class _Bad:
    """Attributes:
    where: file and row.
    what: it is, after "is" or a verb of its own.
    cure: what its author can do.
    """

    where: str
    what: str
    cure: str


class BadRows:
    """Those of one data set."""

    def __init__(self, limit: int) -> None:
        """Args:
        limit: how many may be left out.
        """
        self._limit = limit
        self._count = 0
        self._first: list[_Bad] = []

    def leave_out(self, where: str, what: str, cure: str) -> None:
        """Count one. So many more than allowed are waited for as a message can name.

        Args:
            where: file and row.
            what: is wrong with it, for example "is NaN or infinite".
            cure: what to do, for example "drop the row".

        Raises:
            InvalidData: there are too many.
        """
        self._count += 1
        if len(self._first) < _LISTED:
            self._first.append(_Bad(where, what, cure))
        if self._count >= self._limit + _LISTED:
            raise self._too_many("at least ")

    def check(self) -> None:
        """To be called when all rows were read.

        Raises:
            InvalidData: there are more than allowed.
        """
        if self._count > self._limit:
            raise self._too_many()

    def notes(self) -> Iterator[str]:
        """A sentence where some were left out."""
        if self._count:
            rows = "row is" if self._count == 1 else "rows are"
            yield f"{self._count} {rows} left out ({LIMIT_FIELD} {self._limit}): {self._listed()}"

    def _too_many(self, at_least: str = "") -> InvalidData:
        cure = self._first[0].cure
        if self._limit == 0:
            return InvalidData(
                f"{FIELD}: {self._listed()}; {cure}, or let {LIMIT_FIELD} leave some out"
            )
        return InvalidData(
            f"{FIELD}: {at_least}{self._count} rows cannot be used, {LIMIT_FIELD} is "
            f"{self._limit}: {self._listed()}; {cure}, or allow more"
        )

    def _listed(self) -> str:
        more = self._count - len(self._first)
        named = "; ".join(f"{bad.where} {bad.what}" for bad in self._first)
        return named + (f"; and {more} more" if more else "")
