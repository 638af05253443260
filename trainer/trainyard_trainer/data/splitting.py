"""Dividing examples, for the parts that a source does not bring itself."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Split
from trainyard_trainer.data.rows import Numbers, Part
from trainyard_trainer.errors import InvalidData

_FIELD: Final = "spec.data.split"


def divide(
    train: Part, split: Split, validation: Part | None, test: Part | None
) -> tuple[Part, Part, Part]:
    """Train, validation and test parts.

    `split.validation` and `split.test` are shares of `train`; a part that the source brought
    stays as it is, and the share is then not used.

    Raises:
        InvalidData: a part would have no rows, or too few to keep the classes' shares.
    """
    rest, share = train, split.validation
    if test is None:
        if split.test == 0.0:
            raise InvalidData(
                f"{_FIELD}.test: is 0, and the source has no test part; every model is "
                "evaluated: set it to 0.1"
            )
        rest, test = _cut(train, split.test, split, "test")
        share = split.validation / (1.0 - split.test)
    if validation is None:
        if share == 0.0:
            return rest, rest.only(np.empty(0, np.int64)), test
        rest, validation = _cut(rest, share, split, "validation")
    return rest, validation, test


def _cut(part: Part, share: float, split: Split, name: str) -> tuple[Part, Part]:
    """What is left of a part, and the share that was cut off."""
    field, rows = f"{_FIELD}.{name}", len(part)
    wanted = math.ceil(share * rows)
    if not 0 < wanted < rows:
        raise InvalidData(
            f"{field}: a share of {share:g} of {rows} rows leaves none for another part; change "
            "the share, or bring more rows"
        )
    random = np.random.default_rng(split.seed)
    if split.stratify and part.targets.dtype == np.int64:
        cut = _stratified(part.targets, wanted, random, field)
    else:
        cut = random.permutation(rows)[:wanted]
    kept = np.ones(rows, np.bool_)
    kept[cut] = False
    return part.only(np.flatnonzero(kept)), part.only(np.sort(cut).astype(np.int64))


def _stratified(
    classes: NDArray[Any], wanted: int, random: np.random.Generator, field: str
) -> Numbers:
    """Places of which each class has its share; what is left over goes to the largest rests."""
    present, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
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
    places = random.permutation(len(classes))
    of_class = numbers[places]
    return np.concatenate(
        [places[of_class == each][: taken[each]] for each in range(len(present))]
    ).astype(np.int64)
