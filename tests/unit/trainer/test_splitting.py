"""Which rows train, validate and test: planned from targets, groups and times alone."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_api.spec import Fold, Split
from trainyard_trainer.data.source import PartName
from trainyard_trainer.data.splitting import Divisible, Planned, plan
from trainyard_trainer.errors import InvalidData

NOTHING_BROUGHT: set[PartName] = set()


def targets_of(rows: int, classes: int = 2) -> np.ndarray:
    return np.arange(rows, dtype=np.int64) % classes


def parts(planned: Planned) -> list[np.ndarray]:
    return [planned.train, planned.validation, planned.test]


@given(
    groups=st.lists(st.integers(0, 12), min_size=30, max_size=200),
    seed=st.integers(0, 5),
    folds=st.sampled_from([None, 2, 3]),
)
@settings(max_examples=60, deadline=None)
def test_rows_of_one_group_never_lie_in_two_parts(
    groups: list[int], seed: int, folds: int | None
) -> None:
    rows = Divisible(targets_of(len(groups)), groups=np.array(groups, np.int64))
    fold = None if folds is None else Fold(index=folds - 1, of=folds)
    if len(set(groups)) < 6:
        with suppress(InvalidData):
            plan(rows, Split(seed=seed), NOTHING_BROUGHT, fold)
        return
    planned = plan(rows, Split(seed=seed), NOTHING_BROUGHT, fold)
    found = [set(np.array(groups)[part]) for part in parts(planned)]
    assert all(found)
    assert sum(map(len, found)) == len(set(groups))
    assert sorted(np.concatenate(parts(planned))) == list(range(len(groups)))


@given(
    times=st.lists(st.integers(0, 40), min_size=30, max_size=200),
    folds=st.sampled_from([None, 2, 4]),
)
@settings(max_examples=60, deadline=None)
def test_validation_and_test_come_after_training(times: list[int], folds: int | None) -> None:
    stamps = np.array(times, np.float64)
    rows = Divisible(targets_of(len(times)), times=stamps)
    for index in range(folds or 1):
        fold = None if folds is None else Fold(index=index, of=folds)
        try:
            planned = plan(rows, Split(), NOTHING_BROUGHT, fold)
        except InvalidData:
            few = len(set(times)) < 2 * (folds or 2) + 2
            # One moment may hold all rows of a part.
            crowded = max(Counter(times).values()) * 2 * ((folds or 2) + 1) > len(times)
            assert few or crowded
            return
        train, validation, test = (stamps[part] for part in parts(planned))
        assert train.max() < validation.min()
        assert validation.max() < test.min()


@given(
    rows=st.integers(40, 300), of=st.integers(2, 5), seed=st.integers(0, 5), grouped=st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_each_row_validates_in_one_fold_and_the_test_part_is_the_same(
    rows: int, of: int, seed: int, grouped: bool
) -> None:
    groups = np.arange(rows, dtype=np.int64) // 2 if grouped else None
    divisible = Divisible(targets_of(rows), groups=groups)
    plans = [
        plan(divisible, Split(seed=seed), NOTHING_BROUGHT, Fold(index=i, of=of)) for i in range(of)
    ]
    assert all(np.array_equal(each.test, plans[0].test) for each in plans)
    validated = np.sort(np.concatenate([each.validation for each in plans]))
    learned = np.setdiff1d(np.arange(rows), plans[0].test)
    assert np.array_equal(validated, learned)
    for each in plans:
        assert np.array_equal(np.union1d(each.train, each.validation), learned)


def test_folds_have_each_class_in_its_share() -> None:
    targets = (np.arange(500) % 10 == 0).astype(np.int64)
    for index in range(5):
        planned = plan(Divisible(targets), Split(), NOTHING_BROUGHT, Fold(index=index, of=5))
        assert targets[planned.validation].mean() == pytest.approx(0.1, abs=0.02)


def test_groups_share_out_classes_as_far_as_they_can() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 200, 4000)
    # One class in ten, and in some groups alone.
    targets = (groups % 10 == 0).astype(np.int64)
    planned = plan(Divisible(targets, groups=groups), Split(), NOTHING_BROUGHT)
    for part in parts(planned):
        assert targets[part].mean() == pytest.approx(targets.mean(), abs=0.04)
    assert len(planned.test) == pytest.approx(400, abs=40)


def test_two_groups_are_one_to_train_and_one_to_test() -> None:
    rows = Divisible(targets_of(20), groups=targets_of(20))
    planned = plan(rows, Split(validation=0.0), NOTHING_BROUGHT)
    assert len(planned.train) == len(planned.test) == 10


def test_one_group_alone_cannot_be_divided() -> None:
    rows = Divisible(targets_of(20), groups=np.zeros(20, np.int64))
    with pytest.raises(InvalidData, match=r"spec\.data\.split\.groups"):
        plan(rows, Split(), NOTHING_BROUGHT)


def test_a_fold_beside_a_validation_part_that_was_brought_is_refused() -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.fold"):
        plan(Divisible(targets_of(40)), Split(), {"validation"}, Fold(index=0, of=2))
