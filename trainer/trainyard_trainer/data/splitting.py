"""Dividing examples, for the parts that a source does not bring itself.

What is planned are row numbers, from the targets (and groups and times) alone: features need not
be read to know which rows train.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Fold, Split
from trainyard_trainer.data import anomalies, grouping
from trainyard_trainer.data.rows import Numbers, Part, Targets
from trainyard_trainer.data.source import PartName
from trainyard_trainer.data.target import Target
from trainyard_trainer.errors import InvalidData

FIELD: Final = "spec.data.split"
FOLD_FIELD: Final = "spec.data.fold"


@dataclass(frozen=True)
class Divisible:
    """Rows that are to be divided.

    Attributes:
        targets: of each row.
        groups: a number for each row: rows of one number stay together. None: each is alone.
        times: of each row, in seconds: what is earlier trains. None: they come in no order.
    """

    targets: Targets
    groups: NDArray[np.int64] | None = None
    times: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def classes(self) -> NDArray[np.int64] | None:
        """The class of each row; None where numbers are learned."""
        return self.targets if self.targets.dtype == np.int64 else None

    def only(self, places: Numbers) -> Divisible:
        """These rows alone."""
        if len(places) == len(self):
            return self
        return Divisible(
            self.targets[places],
            None if self.groups is None else self.groups[places],
            None if self.times is None else self.times[places],
        )


@dataclass(frozen=True)
class Planned:
    """Which rows go where, by number from 0, ascending; empty where a part is not cut off."""

    train: Numbers
    validation: Numbers
    test: Numbers

    def of_learned(self, target: Target, targets: Targets) -> Planned:
        """The same without rows in train and validation that may not be learned from.

        Args:
            targets: of all rows that were divided.
        """

        def learned(rows: Numbers) -> Numbers:
            places = anomalies.learned_from(target, targets[rows])
            return rows if places is None else rows[places]

        return replace(self, train=learned(self.train), validation=learned(self.validation))

    @property
    def parts(self) -> dict[PartName, Numbers]:
        """The same by the names of the parts."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def divide(
    train: Part,
    split: Split,
    validation: Part | None,
    test: Part | None,
    fold: Fold | None = None,
) -> tuple[Part, Part, Part]:
    """Train, validation and test parts.

    `split.validation` and `split.test` are shares of `train`; a part that the source brought
    stays as it is, and the share is then not used.

    Raises:
        InvalidData: a part would have no rows, or too few to keep the classes' shares.
    """
    brought: set[PartName] = set()
    if validation is not None:
        brought.add("validation")
    if test is not None:
        brought.add("test")
    planned = plan(Divisible(train.targets), split, brought, fold)
    return (
        train.only(planned.train),
        train.only(planned.validation) if validation is None else validation,
        train.only(planned.test) if test is None else test,
    )


def plan(
    rows: Divisible, split: Split, brought: set[PartName], fold: Fold | None = None
) -> Planned:
    """Which rows train, validate and test.

    Args:
        rows: those that are divided.
        brought: parts that the source has already; none is cut off for them.
        fold: of a cross-validation: it validates, and `split.validation` is not used. All folds
            have the same test part.

    Raises:
        InvalidData: a part would have no rows, or too few to keep the classes' shares.
    """
    rest, share = np.arange(len(rows), dtype=np.int64), split.validation
    validation = test = np.empty(0, np.int64)
    if "test" not in brought:
        if split.test == 0.0:
            raise InvalidData(
                f"{FIELD}.test: is 0, and the source has no test part; every model is "
                "evaluated: set it to 0.1"
            )
        rest, test = _cut(rows, rest, split.test, split, "test")
        share = split.validation / (1.0 - split.test)
    if fold is not None:
        if "validation" in brought:
            raise InvalidData(
                f"{FOLD_FIELD}: the source brings a validation part of its own; put its rows into "
                "the training part, or leave the field out"
            )
        rest, validation = _fold(rows, rest, split, fold)
    elif "validation" not in brought and share > 0.0:
        rest, validation = _cut(rows, rest, share, split, "validation")
    return Planned(rest, validation, test)


def _cut(
    rows: Divisible, numbers: Numbers, share: float, split: Split, name: str
) -> tuple[Numbers, Numbers]:
    """What is left of some rows, and the share that was cut off."""
    field, some = f"{FIELD}.{name}", rows.only(numbers)
    wanted = math.ceil(share * len(some))
    if not 0 < wanted < len(some):
        raise InvalidData(
            f"{field}: a share of {share:g} of {len(some)} rows leaves none for another part; "
            "change the share, or bring more rows"
        )
    random = np.random.default_rng(split.seed)
    if some.times is not None:
        cut = _latest(some.times, wanted, field)
    elif some.groups is not None:
        classes = some.classes if split.stratify else None
        share = wanted / len(some)
        bins = grouping.assign(some.groups, classes, (1.0 - share, share), random)
        cut = np.flatnonzero(bins == 1)
        _check_groups(len(cut), len(some), f"{FIELD}.groups", name)
    elif split.stratify and some.classes is not None:
        cut = _stratified(some.classes, wanted, random, field)
    else:
        cut = random.permutation(len(some))[:wanted]
    kept = np.ones(len(some), np.bool_)
    kept[cut] = False
    return numbers[kept], numbers[~kept]


def _fold(rows: Divisible, numbers: Numbers, split: Split, fold: Fold) -> tuple[Numbers, Numbers]:
    """What trains in a fold, and what validates."""
    some = rows.only(numbers)
    if len(some) < 2 * fold.of:
        raise InvalidData(
            f"{FOLD_FIELD}.of: {fold.of} folds of {len(some)} rows are too small; use fewer folds, "
            "or bring more rows"
        )
    random = np.random.default_rng(split.seed)
    if some.times is not None:
        blocks = _blocks_in_time(some.times, fold)
        trains, validates = blocks < fold.index + 1, blocks == fold.index + 1
    else:
        shares = tuple(1.0 / fold.of for _ in range(fold.of))
        classes = some.classes if split.stratify else None
        if some.groups is not None:
            folds = grouping.assign(some.groups, classes, shares, random)
            smallest = int(np.bincount(folds, minlength=fold.of).min())
            _check_groups(smallest, len(some), f"{FIELD}.groups", f"one of {fold.of} folds")
        else:
            folds = _dealt(len(some), classes, fold.of, random)
        trains, validates = folds != fold.index, folds == fold.index
    return numbers[trains], numbers[validates]


def _dealt(
    rows: int, classes: NDArray[np.int64] | None, folds: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """A fold for each row; each class is dealt out evenly, and so are all rows."""
    order = random.permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    dealt = np.empty(rows, np.int64)
    dealt[order] = np.arange(rows) % folds
    return dealt


def _latest(times: NDArray[np.float64], wanted: int, field: str) -> Numbers:
    """Places of about that many rows, all later than every other row."""
    ordered = np.sort(times)
    begins = np.unique(np.searchsorted(ordered, np.unique(ordered)))
    begins = begins[begins > 0]
    if len(begins) == 0:
        raise InvalidData(
            f"{FIELD}.time: all {len(times)} rows have the same time; none is later for {field}: "
            "name another column, or leave the field out"
        )
    nearest = begins[np.argmin(np.abs(begins - (len(times) - wanted)))]
    return np.flatnonzero(times >= ordered[nearest])


def _blocks_in_time(times: NDArray[np.float64], fold: Fold) -> NDArray[np.int64]:
    """A block for each row: 0 always trains, block i + 1 validates in fold i."""
    ordered = np.sort(times)
    wanted = [len(times) * block // (fold.of + 1) for block in range(1, fold.of + 1)]
    begins = np.unique(ordered[wanted])
    if len(begins) < fold.of or begins[0] == ordered[0]:
        raise InvalidData(
            f"{FIELD}.time: {len(times)} rows have too few different times for {fold.of} folds; "
            "use fewer folds, or leave the field out"
        )
    return np.searchsorted(begins, times, side="right").astype(np.int64)


def _check_groups(cut: int, rows: int, field: str, name: str) -> None:
    if not 0 < cut < rows:
        raise InvalidData(
            f"{field}: the groups are too few or too large: {name} or what trains would have no "
            "rows; name a column with more groups, or leave the field out"
        )


def _stratified(
    classes: NDArray[Any], wanted: int, random: np.random.Generator, field: str
) -> Numbers:
    """Places of which each class has its share; what is left over goes to the largest rests."""
    every = np.bincount(classes)
    present, counts = np.flatnonzero(every), every[every > 0]
    if counts.min() < 2 or wanted < len(present) or len(classes) - wanted < len(present):
        raise InvalidData(
            f"{field}: {wanted} of {len(classes)} rows cannot hold the {len(present)} classes in "
            f"their shares (the rarest has {counts.min()} rows); change the share, or set "
            "stratify: false"
        )
    exact = counts * wanted / len(classes)
    taken = np.floor(exact).astype(np.int64)
    most_left_over = np.argsort(taken - exact, kind="stable")
    taken[most_left_over[: wanted - int(taken.sum())]] += 1
    # In the smallest types: there may be more rows than fit into memory several times.
    places = random.permutation(np.arange(len(classes), dtype=np.min_scalar_type(len(classes))))
    of_class = classes.astype(np.min_scalar_type(len(every)))[places]
    return np.concatenate(
        [
            places[of_class == each][:count]
            for each, count in zip(present.tolist(), taken.tolist(), strict=True)
        ]
    ).astype(np.int64)
