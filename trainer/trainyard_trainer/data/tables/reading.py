"""From the files of a table to the three parts of a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.contract import ColumnKind
from trainyard_api.listing import listed
from trainyard_api.spec import Data, Missing
from trainyard_trainer.data import anomalies, checks, splitting
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.labels import task_notes
from trainyard_trainer.data.reading import Files, Progress, Reading
from trainyard_trainer.data.rows import Numbers, Part, Place, RowSource, kept_of
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.source import FIELD, PARTS, PartName
from trainyard_trainer.data.tables import choosing, cleaning, kinds, targets
from trainyard_trainer.data.tables.choosing import FEATURES_FIELD, LISTED
from trainyard_trainer.data.tables.encoding import Encoding
from trainyard_trainer.data.tables.examples import Examples
from trainyard_trainer.data.tables.files import TableFormat, table_files
from trainyard_trainer.data.tables.series import check_kinds, windows_of
from trainyard_trainer.data.tables.statistics import placed, statistics_of
from trainyard_trainer.data.tables.survey import Survey, Wanted, survey
from trainyard_trainer.data.tables.table import Table
from trainyard_trainer.data.tables.targets import LabelColumn
from trainyard_trainer.data.target import Target
from trainyard_trainer.data.windows import WindowRows, Windows
from trainyard_trainer.errors import InvalidData

_PASSES: Final = 3
_FAILURES_NAMED: Final = 5


def read(format: TableFormat, files: Files, reading: Reading) -> Dataset:
    """The parts of a table.

    It is read three times, some rows at a time: to see what its columns hold, to learn from the
    training part what they need (vocabularies, means), and to encode its rows.

    Raises:
        InvalidData: it cannot be learned from.
        StoreUnavailable: the location, or the worker's disk, is away.
    """
    found, notes = table_files(format, files)
    reading.notes += notes
    reading.notes.append(f"format {format}: {len(found)} files")
    table = Table(format, found, reading.bad, reading.residence.scratch, reading.data.source.labels)
    reading.notes += table.notes
    return _Reader(table, reading).dataset()


@dataclass(frozen=True)
class _Divided:
    """What is known when the first look is over; of all rows, nothing else is kept.

    Attributes:
        good: of all rows, those that are kept.
        learns: of all rows, those that train.
        numbers: of each part's rows, among those that are kept; or of its windows, among all.
        targets: of the same.
        windows: all of them, over all rows, where rows are steps.
        notes: sentences for people.
    """

    kinds: dict[str, ColumnKind]
    target: Target
    why: str
    good: NDArray[np.bool_]
    learns: NDArray[np.bool_]
    numbers: dict[PartName, Numbers]
    targets: dict[PartName, NDArray[Any]]
    windows: Windows | None
    notes: tuple[str, ...]


class _Reader:
    def __init__(self, table: Table, reading: Reading) -> None:
        self._table = table
        self._reading = reading
        self._data: Data = reading.data
        self._progress: Progress = reading.progress(_PASSES * table.bytes + table.remote_bytes)
        self._where = reading.data.source.uri

    @property
    def _missing(self) -> Missing:
        return self._data.cleaning.missing if self._data.cleaning is not None else Missing()

    def dataset(self) -> Dataset:
        divided = self._divided()
        columns = self._columns(divided)
        encoded, place = self._taken_from(divided, self._encode(columns, divided.good))
        train, validation, test = (
            Part(encoded, divided.numbers[part], divided.targets[part]) for part in PARTS
        )
        target = divided.target
        checks.check_classes(target, train, test, self._where)
        notes = task_notes(target, divided.why)
        notes += checks.absent_classes(target, validation, test)
        notes += divided.notes
        horizon = None if self._data.window is None else self._data.window.horizon
        schema = Schema(encoded.shape, target, columns, horizon=horizon)
        return Dataset(train, validation, test, schema, notes=tuple(notes), places={"train": place})

    def _divided(self) -> _Divided:
        """What the first look tells."""
        source, split, window = self._data.source, self._data.split, self._data.window
        labels = choosing.labels_of(self._table, self._data)
        features = choosing.features_of(self._table, self._data, labels)
        failures = source.maxBadRows + _FAILURES_NAMED
        drops = self._missing.strategy == "drop"
        groups = split.groups if window is None else window.series
        wanted = Wanted(features, labels, groups, split.time, source.columns, failures, drops)
        seen = survey(self._table, wanted, self._progress)
        decided = self._kinds(features, seen)
        told = list(self._told(labels, seen))
        good, every = self._rows(seen, decided, told)
        examples = self._examples(seen, good, every)
        where = f"{self._where} ({listed(labels, LISTED)})" if labels else self._where
        learned = targets.learned_from(told, examples.labelled, self._data.task, where)
        given = [part for part in PARTS if part in examples.labelled]
        found = dict(zip(given, learned.parts, strict=True))
        brought: set[PartName] = {part for part in given if part != "train"}
        divisible = examples.divisible(found["train"])
        planned = splitting.plan(divisible, split, brought, self._data.fold)
        planned = planned.of_learned(learned.target, found["train"])
        learns = examples.learned(planned.train, seen.rows)
        numbers, held = examples.divided(planned, found)
        # A validation part that the source brings has its anomalies still.
        chosen = anomalies.learned_from(learned.target, held["validation"])
        if chosen is not None:
            numbers["validation"] = numbers["validation"][chosen]
            held["validation"] = held["validation"][chosen]
        return _Divided(
            decided,
            learned.target,
            learned.why,
            good,
            learns,
            numbers,
            held,
            examples.windows,
            tuple(examples.naive_forecast(numbers["test"], told, learned.target)),
        )

    def _told(self, labels: Sequence[str], seen: Survey) -> Iterator[LabelColumn]:
        """The columns that hold labels, with their kinds."""
        task, overridden = self._data.task, self._data.source.columns
        for name, kept in zip(labels, seen.labels, strict=True):
            kind = targets.label_kind(name, seen.columns[name], seen.rows, task, overridden)
            yield LabelColumn(name, kind, kept)

    def _kinds(self, features: Sequence[str], seen: Survey) -> dict[str, ColumnKind]:
        if seen.rows == 0:
            raise InvalidData(f"{FIELD}: {self._where} has no rows")
        decided: dict[str, ColumnKind] = {}
        for name in features:
            decision = kinds.decide(name, seen.columns[name], seen.rows, self._data.source.columns)
            if decision.note:
                self._reading.notes.append(decision.note)
            if decision.kind is not None:
                decided[name] = decision.kind
        if not decided:
            raise InvalidData(
                f"{FEATURES_FIELD}: no column is left to learn from; {self._where} has "
                f"{listed(self._table.columns, LISTED)}"
            )
        if self._data.window is not None:
            check_kinds(decided)
        self._reading.notes.append(f"columns: {_told(decided)}")
        return decided

    def _rows(
        self, seen: Survey, decided: dict[str, ColumnKind], labels: Sequence[LabelColumn]
    ) -> tuple[NDArray[np.bool_], dict[PartName, Numbers]]:
        """Of all rows, those that are kept; and all rows of each part that there is."""
        place, bad = self._table.place, self._reading.bad
        good = np.ones(seen.rows, np.bool_)
        cleaning.leave_out_wrong(good, seen, decided, place, bad)
        for label in labels:
            self._reading.notes += cleaning.leave_out_unlabelled(
                good, label, place, bad, self._missing.strategy == "drop"
            )
        cleaning.check_dividing(seen, self._data, place)
        bad.check()
        self._reading.notes += cleaning.drop_missing(good, seen, decided, self._missing, place)
        every: dict[PartName, Numbers] = {}
        first = 0
        for part in PARTS:
            count = self._table.rows_of(part)
            if count:
                every[part] = np.arange(first, first + count, dtype=np.int64)
                if not good[first : first + count].any():
                    raise InvalidData(f"{FIELD}: {self._where}: no row of {part} can be used")
            first += count
        return good, every

    def _examples(
        self, seen: Survey, good: NDArray[np.bool_], every: dict[PartName, Numbers]
    ) -> Examples:
        if self._data.window is None:
            return Examples.of_rows(every, good, seen)
        found = windows_of(self._data.window, seen, every, good, self._table.place)
        self._reading.notes += found.notes
        return Examples.of_windows(found)

    def _columns(self, divided: _Divided) -> tuple[Column, ...]:
        """What the training part tells of the columns."""
        decided, learns = divided.kinds, divided.learns
        gathered = {
            name: statistics_of(kind, self._missing, len(decided), int(learns.sum()))
            for name, kind in decided.items()
        }
        for piece in self._table.scan(list(decided), self._progress):
            chosen = learns[piece.first : piece.first + piece.rows]
            if not chosen.any():
                continue
            for name, statistics in gathered.items():
                statistics.add(_only(piece.columns[name], chosen))
        for name, statistics in gathered.items():
            self._reading.notes += statistics.notes(name)
        return placed([each.column(name) for name, each in gathered.items()])

    def _encode(self, columns: tuple[Column, ...], good: NDArray[np.bool_]) -> RowSource:
        encoding = Encoding(columns)
        collector = self._reading.residence.collect(
            int(good.sum()), (encoding.width,), np.dtype(np.float32)
        )
        for piece in self._table.scan([column.name for column in columns], self._progress):
            chosen = good[piece.first : piece.first + piece.rows]
            cells = {name: _only(array, chosen) for name, array in piece.columns.items()}
            collector.add(encoding.encode(cells, int(chosen.sum())))
        return collector.finish()

    def _taken_from(self, divided: _Divided, encoded: RowSource) -> tuple[RowSource, Place]:
        """What parts take their examples from, and where one of them is."""
        number_of = kept_of(divided.good)
        windows, place = divided.windows, self._table.place
        if windows is None:
            return encoded, lambda number: place(number_of(number))
        among = windows if divided.good.all() else windows.among(np.cumsum(divided.good) - 1)
        labelled = windows.labelled
        return WindowRows(encoded, among), lambda number: place(int(labelled[number]))


read_csv = partial(read, "csv")
read_parquet = partial(read, "parquet")


def _only(array: Any, chosen: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return array if chosen.all() else array.filter(pa.array(chosen))


def _told(decided: dict[str, ColumnKind]) -> str:
    def each() -> Iterator[str]:
        for kind in dict.fromkeys(decided.values()):
            names = [name for name, found in decided.items() if found == kind]
            yield f"{kind} {listed(names, LISTED)}"

    return "; ".join(each())
