"""Which rows each step learns from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from trainyard_trainer.tasks.classification import class_weights
from trainyard_trainer.training.fit.batches import Batches


@given(
    rows=st.integers(2, 300),
    batch=st.integers(1, 130),
    replicas=st.integers(1, 7),
    epoch=st.integers(0, 3),
)
def test_every_row_counts_exactly_once_an_epoch(
    rows: int, batch: int, replicas: int, epoch: int
) -> None:
    batches = Batches(rows, batch, replicas, seed=1)
    matrix = batches.of_epoch(epoch)

    assert len(matrix) == batches.steps_per_epoch
    assert matrix.rows.shape[1] % replicas == 0
    assert sorted(matrix.rows[matrix.weights > 0]) == list(range(rows))


@given(replicas=st.integers(1, 7))
def test_each_step_learns_the_same_rows_with_any_number_of_replicas(replicas: int) -> None:
    one, many = (Batches(100, 32, n, seed=1).of_epoch(2) for n in (1, replicas))
    for step in range(4):
        learned = many.rows[step][many.weights[step] > 0]
        np.testing.assert_array_equal(learned, one.rows[step][one.weights[step] > 0])


def test_order_follows_from_seed_and_epoch() -> None:
    rows = Batches(100, 32, 2, seed=1).of_epoch(0).rows

    np.testing.assert_array_equal(rows, Batches(100, 32, 2, seed=1).of_epoch(0).rows)
    assert not np.array_equal(rows, Batches(100, 32, 2, seed=1).of_epoch(1).rows)
    assert not np.array_equal(rows, Batches(100, 32, 2, seed=2).of_epoch(0).rows)


def test_places_left_over_are_filled_with_different_rows() -> None:
    last = Batches(65, 32, 1, seed=0).of_epoch(0).rows[-1]

    assert len(set(last)) == 32, "batch normalisation would see one row again and again"


def test_batch_larger_than_the_data_is_one_step() -> None:
    assert Batches(10, 128, 2, seed=0).steps_per_epoch == 1


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = np.array([0] * 10 + [1] * 30 + [2] * 5)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)

    np.testing.assert_allclose(class_weights(labels, 3, balanced=True), expected, rtol=1e-6)
    assert class_weights(labels, 3, balanced=False) == pytest.approx(1.0)


def test_class_without_rows_gets_no_weight() -> None:
    assert class_weights(np.array([0, 0, 2]), 3, balanced=True)[1] == 0.0
