"""Labels that seem wrong: confident learning (Northcutt, Jiang and Chuang, 2021), by cleanlab.

A label is doubted where models that have not learned from its row hold another class for likely,
as often as they are right when they say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.spec import Fold as FoldSpec
from trainyard_api.spec import LabelErrors, Split
from trainyard_trainer.data import splitting
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.findings import Action, Finding
from trainyard_trainer.data.rows import Numbers, Part
from trainyard_trainer.data.splitting import Divisible
from trainyard_trainer.data.target import Classes, Target
from trainyard_trainer.errors import InvalidData, InvalidSpec

FIELD: Final = "spec.data.cleaning.labelErrors"


@dataclass(frozen=True)
class Fold:
    """What a model learns from, and the rows that it judges then: places of the training part."""

    learns: Numbers
    judges: Numbers


def check(target: Target, train: Part, wanted: LabelErrors) -> None:
    """Make sure that label errors can be looked for.

    Raises:
        InvalidSpec: there are no classes.
        InvalidData: there are too few rows.
    """
    if not isinstance(target, Classes):
        raise InvalidSpec(f"{FIELD}: looks at classes, and the task is {target.task}; leave it out")
    if len(train) < 2 * wanted.folds:
        raise InvalidData(
            f"{FIELD}.folds: {wanted.folds} folds of {len(train)} rows are too small; make it "
            "smaller, or leave labelErrors out"
        )


def folds(train: Part, count: int, seed: int) -> list[Fold]:
    """The training part, divided so that each row is judged once and classes are shared out."""
    split = Split(seed=seed, validation=0.0)
    rows = Divisible(train.targets)
    planned = [
        splitting.plan(rows, split, {"test"}, FoldSpec(index=index, of=count))
        for index in range(count)
    ]
    return [Fold(each.train, each.validation) for each in planned]


def doubted(targets: NDArray[np.int64], probabilities: NDArray[Any], least: int) -> Numbers:
    """Places of the rows whose labels seem wrong, the most doubtful first.

    Args:
        probabilities: of each class, by models that have not learned from the row: (rows, classes).
        least: rows that a class needs; those of rarer ones are not judged, since a model may have
            learned from none of them.
    """
    # It brings pandas, which most runs can do without.
    from cleanlab.filter import find_label_issues

    counts = np.bincount(targets, minlength=probabilities.shape[1])
    judged = np.flatnonzero(counts[targets] >= least)
    present, labels = np.unique(targets[judged], return_inverse=True)
    if len(present) < 2:
        return judged[:0]
    likely = probabilities[np.ix_(judged, present)].astype(np.float64)
    likely /= np.maximum(likely.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    found = find_label_issues(labels, likely, return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(judged[found], np.int64)


def without_label_errors(
    dataset: Dataset, wanted: LabelErrors, places: Numbers, probabilities: NDArray[Any]
) -> Dataset:
    """The data set, in whose training part doubted labels are listed, or dropped if asked."""
    train, names = dataset.train, dataset.schema.target.names
    drops = wanted.action == "drop"

    def detail(index: int) -> str:
        likely, given = probabilities[places[index]], train.targets[places[index]]
        best = int(np.argmax(likely))
        return (
            f"label {names[given]} ({likely[given]:.2f} likely), seems to be {names[best]} "
            f"({likely[best]:.2f})"
        )

    action: Action = "dropped" if drops else "kept"
    finding = Finding("labelErrors", action, train.numbers[places], detail)
    note = f"label errors: {len(places)} of {len(train)} training rows seem to have another label"
    note += f": they are {action}" if len(places) else ""
    return dataset.changed(train.without(places) if drops else train, finding, note)
