"""Labels that seem wrong, told by what models that have not seen them think."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard_api.spec import LabelErrors
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.cleaning import label_errors
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidData, InvalidSpec

ROWS = 300
CLASSES = Classes(("cat", "dog", "owl"))


def part(targets: NDArray[Any]) -> Part:
    return whole(Resident(np.zeros((len(targets), 2), np.float32)), targets)


def sure(targets: NDArray[np.int64], by: float = 0.9) -> NDArray[np.float32]:
    """Models that hold these classes for likely."""
    rest = (1.0 - by) / (len(CLASSES.names) - 1)
    return np.where(np.eye(len(CLASSES.names))[targets] == 1, by, rest).astype(np.float32)


def with_errors(count: int = 12) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True classes, and the same with the first ones wrong."""
    true = np.random.default_rng(0).integers(0, 3, ROWS)
    given = true.copy()
    given[:count] = (true[:count] + 1) % 3
    return true, given


def test_labels_that_models_contradict_are_doubted() -> None:
    true, given = with_errors()
    assert set(label_errors.doubted(given, sure(true), 2).tolist()) == set(range(12))


def test_labels_that_models_share_are_not() -> None:
    true, _ = with_errors()
    assert len(label_errors.doubted(true, sure(true), 2)) == 0


def test_the_surest_contradiction_comes_first() -> None:
    true, given = with_errors(3)
    likely = sure(true)
    likely[1] = sure(true, 0.99)[1]
    assert label_errors.doubted(given, likely, 2)[0] == 1


def test_rows_of_a_class_that_some_model_has_not_learned_are_not_judged() -> None:
    """A model knows nothing of a class that has rows in its own fold alone."""
    targets = np.array([0] * 50 + [1] * 50 + [2])
    likely = sure(targets)
    likely[-1] = [0.97, 0.02, 0.01]
    assert len(label_errors.doubted(targets, likely, 5)) == 0


def test_each_row_is_judged_once_by_a_model_that_has_not_learned_from_it() -> None:
    _, given = with_errors()
    folds = label_errors.folds(part(given), 5, seed=0)
    judged = np.concatenate([fold.judges for fold in folds])
    np.testing.assert_array_equal(np.sort(judged), np.arange(ROWS))
    for fold in folds:
        assert not set(fold.learns) & set(fold.judges)
        assert len(fold.learns) + len(fold.judges) == ROWS
        assert set(given[fold.judges]) == {0, 1, 2}


def dataset(targets: NDArray[np.int64]) -> Dataset:
    train = part(targets)
    places = {"train": lambda number: f"row {number}"}
    return Dataset(train, train.only(np.arange(0)), train, Schema((2,), CLASSES), places=places)  # type: ignore[arg-type]


@pytest.mark.parametrize(("action", "left"), [("report", ROWS), ("drop", ROWS - 12)])
def test_they_are_listed_and_dropped_on_request(action: Any, left: int) -> None:
    true, given = with_errors()
    likely = sure(true)
    places = label_errors.doubted(given, likely, 2)
    wanted = LabelErrors(action=action)
    found = label_errors.without_label_errors(dataset(given), wanted, places, likely)
    assert len(found.train) == left
    (finding,) = found.findings
    names = CLASSES.names
    first = places[0]
    assert finding.detail(0) == (
        f"label {names[given[first]]} (0.05 likely), seems to be {names[true[first]]} (0.90)"
    )
    assert "12 of 300 training rows seem to have another label" in found.notes[-1]


def test_numbers_have_no_label_errors() -> None:
    with pytest.raises(InvalidSpec, match=r"labelErrors: looks at classes"):
        label_errors.check(Quantities(("price",)), part(np.zeros(ROWS)), LabelErrors())


def test_too_few_rows_for_the_folds_are_refused() -> None:
    with pytest.raises(InvalidData, match=r"labelErrors\.folds: 5 folds of 6 rows"):
        label_errors.check(CLASSES, part(np.zeros(6, np.int64)), LabelErrors())
