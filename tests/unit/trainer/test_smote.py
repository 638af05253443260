"""Rows between neighbours, and how they are told apart and joined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import Part
from trainyard_trainer.data.generation.likeness import told_apart
from trainyard_trainer.data.generation.smote import smote
from trainyard_trainer.data.generation.wanted import Wanted, wanted
from trainyard_trainer.data.joined import joined
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes

CLASSES = Classes(("common", "rare"))
RANDOM = np.random.default_rng(0)


def part(rows: NDArray[Any], rare: int) -> Part:
    targets = np.zeros(len(rows), np.int64)
    targets[:rare] = 1
    return whole(Resident(rows), targets)


def columns(*kinds: Any) -> Schema:
    found = tuple(
        Column(f"c{at}", kind, at, fill=0.5 if kind == "number" else None)
        for at, kind in enumerate(kinds)
    )
    return Schema((len(kinds),), CLASSES, columns=found)


def numbers() -> NDArray[np.float32]:
    return (RANDOM.normal(size=(100, 3)) * [1, 1000, 1]).astype(np.float32)


def test_rare_classes_get_what_they_lack() -> None:
    train = part(numbers(), rare=10)
    assert wanted(train, 2, 1.0) == [Wanted(1, 80)]
    assert wanted(train, 2, 0.5) == [Wanted(1, 35)]
    assert wanted(train, 2, 0.1) == []


def test_a_class_without_rows_gets_none() -> None:
    assert wanted(part(numbers(), rare=10), 3, 1.0) == [Wanted(1, 80)]


class TestSmote:
    def test_new_rows_lie_between_those_of_the_class(self) -> None:
        rows = numbers()
        rows[:10] += 50
        made = smote(part(rows, rare=10), Schema((3,), CLASSES), Wanted(1, 80), seed=0)
        assert made.shape == (80, 3)
        assert (made >= rows[:10].min(axis=0) - 1e-3).all()
        assert (made <= rows[:10].max(axis=0) + 1e-3).all()
        assert len(np.unique(made, axis=0)) > 70

    def test_categories_and_truth_values_stay_what_occurs(self) -> None:
        rows = np.stack(
            [RANDOM.normal(size=100), RANDOM.integers(0, 4, 100), RANDOM.integers(0, 2, 100)],
            axis=1,
        ).astype(np.float32)
        schema = columns("number", "category", "boolean")
        made = smote(part(rows, rare=20), schema, Wanted(1, 60), seed=0)
        assert set(made[:, 1]) <= set(rows[:20, 1])
        assert set(made[:, 2]) <= {0.0, 1.0}

    def test_rows_of_categories_alone_are_made(self) -> None:
        rows = RANDOM.integers(0, 4, (100, 2)).astype(np.float32)
        made = smote(part(rows, rare=20), columns("category", "category"), Wanted(1, 60), seed=0)
        assert made.shape == (60, 2)
        assert set(made.ravel()) <= {0.0, 1.0, 2.0, 3.0}

    def test_gaps_are_filled_as_the_model_fills_them(self) -> None:
        rows = numbers()
        rows[:5, 0] = np.nan
        made = smote(
            part(rows, rare=20), columns("number", "number", "number"), Wanted(1, 60), seed=0
        )
        assert np.isfinite(made).all()

    def test_two_rows_are_enough(self) -> None:
        train = part(numbers(), rare=2)
        assert smote(train, Schema((3,), CLASSES), Wanted(1, 5), seed=0).shape == (5, 3)

    def test_it_is_the_same_on_every_worker(self) -> None:
        train = part(numbers(), rare=20)
        first, second = (smote(train, Schema((3,), CLASSES), Wanted(1, 9), seed=3) for _ in "ab")
        np.testing.assert_array_equal(first, second)


def test_rows_that_are_taken_from_both_sources_keep_their_order() -> None:
    first = part(np.arange(10, dtype=np.float32).reshape(10, 1), rare=1)
    more = Resident(np.arange(100, 103, dtype=np.float32).reshape(3, 1))
    both = joined(first.only(np.array([4, 2])), more, np.array([1, 1, 1]))
    taken = both.take(np.array([4, 0, 2, 1, 3]))
    assert taken.features.ravel().tolist() == [102.0, 4.0, 100.0, 2.0, 101.0]
    assert taken.targets.tolist() == [1, 0, 1, 0, 1]


def test_rows_of_another_kind_are_told_apart_and_copies_are_not() -> None:
    real, like, other = (RANDOM.normal(size=(300, 4)).astype(np.float32) for _ in "abc")
    alike, apart = told_apart(real, like, 0), told_apart(real, other + 3, 0)
    assert alike is not None
    assert apart is not None
    assert abs(alike - 0.5) < 0.15
    assert apart > 0.95
    assert told_apart(real[:3], like, 0) is None
