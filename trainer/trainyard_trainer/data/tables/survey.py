"""The first look at a table: what its columns hold, and how many rows there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trainyard_api.contract import ColumnKind
from trainyard_trainer.data.reading import Progress
from trainyard_trainer.data.tables import values
from trainyard_trainer.data.tables.resident_columns import Codes, Kept
from trainyard_trainer.data.tables.table import Piece, Table

if TYPE_CHECKING:
    import pyarrow as pa

PARSERS: Final = {
    "number": values.numbers,
    "boolean": values.truths,
    "time": values.times,
}
"""Kinds whose cells can be wrong."""

_SAMPLED_CELLS: Final = 500_000
"""Of all columns together, that are looked at for how different they are."""
_SAMPLED_ROWS: Final = (2_000, 100_000)
_HOPELESS: Final = 0.5
"""Share of cells in a piece that are no number, say, of a column that will not be one."""


@dataclass
class Trial:
    """Whether a column could be of a kind.

    Attributes:
        wrong: how many cells are something else.
        first: the first of those, by row, with what they hold.
    """

    wrong: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Seen:
    """What was seen of a column.

    Attributes:
        natives: kinds that its type told by itself; a column of texts has none.
        missing: how many cells hold nothing, and the first of those.
        trials: of kinds that it could be; one that it cannot is taken out.
        whole: whether all its numbers are.
        different: how many different cells there are among the first `sampled`.
        words: in the same.
    """

    natives: set[str] = field(default_factory=set)
    texts: bool = False
    missing: int = 0
    first_missing: int = -1
    trials: dict[str, Trial] = field(default_factory=dict)
    whole: bool = True
    sampled: int = 0
    words: int = 0
    _different: set[Any] = field(default_factory=set)

    @property
    def different(self) -> int:
        """How many different cells there are among those sampled."""
        return len(self._different)


@dataclass(frozen=True)
class Survey:
    """What the first look has found.

    Attributes:
        columns: by name.
        rows: of all files.
        absent: where each column holds nothing, packed bits; only columns that have such rows,
            and only where they were asked for.
        labels: the columns that are learned, in their order.
        groups, times: columns that divide, where the spec names them.
    """

    columns: Mapping[str, Seen]
    rows: int
    absent: Mapping[str, np.ndarray[Any, Any]]
    labels: tuple[Kept, ...]
    groups: Codes | None
    times: Kept | None


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes:
        features: columns that may be learned from.
        overridden: kinds that the spec gives.
        failures: how many wrong cells of a column are to be named.
        absent: whether the rows in which a column holds nothing have to be known.
    """

    features: Sequence[str]
    labels: tuple[str, ...]
    groups: str | None
    time: str | None
    overridden: Mapping[str, ColumnKind]
    failures: int
    absent: bool


def survey(table: Table, wanted: Wanted, progress: Progress) -> Survey:
    """Read a table once.

    Raises:
        InvalidData: too many rows are no rows of it.
    """
    divide = [name for name in (wanted.groups, wanted.time) if name is not None]
    names = list(dict.fromkeys([*wanted.features, *wanted.labels, *divide]))
    looking = _Looking(table, wanted)
    labels, times = tuple(Kept() for _ in wanted.labels), Kept() if wanted.time else None
    groups = Codes() if wanted.groups else None
    rows = 0
    for piece in table.scan(names, progress):
        rows += piece.rows
        looking.add(piece)
        for name, label in zip(wanted.labels, labels, strict=True):
            label.add(piece.columns[name])
        if groups is not None and wanted.groups is not None:
            groups.add(piece.columns[wanted.groups])
        if times is not None and wanted.time is not None:
            times.add_times(piece.columns[wanted.time])
    # What follows is about rows as a whole, and needs the memory that pieces took.
    _release_unused()
    return Survey(looking.seen, rows, looking.absent(rows), labels, groups, times)


def _release_unused() -> None:
    """Give back to the machine what Arrow keeps for later pieces."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


class _Looking:
    def __init__(self, table: Table, wanted: Wanted) -> None:
        self._table = table
        self._wanted = wanted
        least, most = _SAMPLED_ROWS
        self._sampled = min(most, max(least, _SAMPLED_CELLS // max(1, len(wanted.features))))
        looked_at = dict.fromkeys([*wanted.features, *wanted.labels])
        self.seen = {name: Seen(trials=self._trials(name)) for name in looked_at}
        self._absent: dict[str, list[tuple[int, np.ndarray[Any, Any]]]] = {}

    def _trials(self, name: str) -> dict[str, Trial]:
        if name in self._wanted.overridden:
            kind = self._wanted.overridden[name]
            return {kind: Trial()} if kind in PARSERS else {}
        loose = ("number", "boolean", "time") if name in self._table.loose else ("time",)
        return {kind: Trial() for kind in loose}

    def add(self, piece: Piece) -> None:
        for name, seen in self.seen.items():
            array = piece.columns[name]
            absent = values.missing(array)
            count = int(absent.sum())
            if count and seen.first_missing < 0:
                seen.first_missing = piece.first + int(np.argmax(absent))
            seen.missing += count
            if count and self._wanted.absent:
                self._absent.setdefault(name, []).append((piece.first, absent))
            if count == len(array):
                continue
            self._tell(name, seen, array)
            self._try(name, seen, array, piece.first)
            if seen.sampled < self._sampled:
                _sample(seen, array.slice(0, self._sampled - seen.sampled))

    def absent(self, rows: int) -> dict[str, np.ndarray[Any, Any]]:
        found = {}
        for name, pieces in self._absent.items():
            found[name] = np.zeros(rows, np.bool_)
            for first, absent in pieces:
                found[name][first : first + len(absent)] = absent
        return found

    def _tell(self, name: str, seen: Seen, array: pa.Array) -> None:
        native = native_of(array.type)
        if native is None:
            seen.texts = True
            return
        seen.natives.add(native)
        if name not in self._wanted.overridden and native in PARSERS:
            seen.trials.setdefault(native, Trial())

    def _try(self, name: str, seen: Seen, array: pa.Array, first: int) -> None:
        native = native_of(array.type)
        for kind, trial in list(seen.trials.items()):
            if native not in (None, kind) and name not in self._wanted.overridden:
                continue
            parsed = PARSERS[kind](array)
            wrong = int(parsed.wrong.sum())
            trial.wrong += wrong
            for place in np.flatnonzero(parsed.wrong)[: self._wanted.failures - len(trial.first)]:
                trial.first.append((first + int(place), str(array[int(place)].as_py())))
            if kind == "number" and seen.whole:
                known = parsed.values[~np.isnan(parsed.values)]
                seen.whole = bool(np.array_equal(np.rint(known), known))
            hopeless = wrong > _HOPELESS * (len(array) - array.null_count)
            if hopeless and name not in self._wanted.overridden:
                del seen.trials[kind]


def native_of(kind: pa.DataType) -> str | None:
    """What the type of a column tells by itself; None of texts."""
    import pyarrow as pa

    if values.is_text(kind) or pa.types.is_null(kind):
        return None
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    return "number"


def _sample(seen: Seen, array: pa.Array) -> None:
    from pyarrow import compute

    known = array.drop_null()
    seen.sampled += len(known)
    seen._different.update(compute.unique(known).to_pylist())
    if values.is_text(array.type):
        lengths = compute.list_value_length(compute.utf8_split_whitespace(known))
        seen.words += compute.sum(lengths).as_py() or 0
