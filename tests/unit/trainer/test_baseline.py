"""What inputs and answers were like when the model was made."""

from __future__ import annotations

import numpy as np
import pytest

from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.export import baseline

RANDOM = np.random.default_rng(0)
CLASSES = Classes(("no", "yes"))


def test_numbers_are_told_between_their_deciles() -> None:
    values = RANDOM.normal(size=5000)
    found = baseline.of_numbers(values)
    assert len(found.edges) == 9
    assert found.edges == sorted(found.edges)
    np.testing.assert_allclose(found.shares, 0.1, atol=0.001)


def test_a_share_is_of_what_is_below_its_edge() -> None:
    found = baseline.of_numbers(np.array([0.0] * 95 + [7.0] * 5))
    assert found.edges == [0.0]
    assert found.shares == [0.0, 1.0]
    found = baseline.of_numbers(np.array([0.0] * 50 + [7.0] * 50))
    below = sum(share for edge, share in zip(found.edges, found.shares, strict=False) if edge <= 7)
    assert below == pytest.approx(0.5)
    assert sum(found.shares) == pytest.approx(1.0)


def test_what_is_missing_is_told_apart() -> None:
    found = baseline.of_numbers(np.array([np.nan, 1.0, 2.0, np.nan]))
    assert found.missing == 0.5
    assert sum(found.shares) == pytest.approx(1.0)
    nothing = baseline.of_numbers(np.array([np.nan]))
    assert (nothing.shares, nothing.missing) == ([0.0], 1.0)


def test_rare_codes_are_told_together() -> None:
    found = baseline.of_codes(np.arange(1000) % 200, 200)
    assert len(found.shares) == 64
    assert found.shares[0] == pytest.approx(0.005)
    assert found.shares[-1] == pytest.approx(137 / 200, abs=1e-6)


def test_columns_are_told_in_the_units_of_their_cells() -> None:
    rows = np.stack([RANDOM.normal(size=500), RANDOM.integers(0, 3, 500)], axis=1)
    time = Column("since", "time", 0, shift=1.7e9)
    city = Column("city", "category", 1, vocabulary=("Oslo", "Rome"))
    told = baseline.of_column(time, rows)
    assert told is not None
    assert 1.69e9 < told.edges[0] < told.edges[-1] < 1.71e9
    shares = baseline.of_column(city, rows)
    assert shares is not None
    assert len(shares.shares) == 3
    assert baseline.of_column(Column("text", "text", 0, width=2), rows) is None


def test_arrays_are_told_by_column_and_pictures_by_their_brightness() -> None:
    rows = RANDOM.normal(size=(100, 3))
    shifted = Schema((3,), CLASSES, shift=(0.0, 50.0, 0.0))
    assert [found.edges[4] > 40 for found in baseline.of_rows(shifted, rows)] == [
        False,
        True,
        False,
    ]
    pictures = RANDOM.integers(0, 255, (100, 4, 4, 1)).astype(np.uint8)
    (brightness,) = baseline.of_rows(Schema((4, 4, 1), CLASSES), pictures)
    assert 80 < brightness.edges[4] < 170
    assert baseline.of_rows(Schema((784,), CLASSES), np.zeros((2, 784))) == []


def test_answers_are_told_by_class_or_by_number() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    (classes,) = baseline.of_answers(CLASSES, probabilities)
    assert classes.shares == pytest.approx([1 / 3, 2 / 3], abs=1e-6)
    found = baseline.of_answers(Quantities(("a", "b")), RANDOM.normal(size=(50, 2)))
    assert [len(each.edges) for each in found] == [9, 9]


def test_a_large_part_is_looked_at_evenly() -> None:
    part = whole(Resident(np.arange(100_000, dtype=np.float32)[:, None]), np.zeros(100_000))
    rows = baseline.sample(part)
    assert len(rows) == 20_000
    assert rows.mean() == pytest.approx(50_000, rel=0.01)


def test_of_large_rows_fewer_are_looked_at() -> None:
    pictures = np.broadcast_to(np.uint8(7), (2000, 224, 224, 3))
    rows = baseline.sample(whole(Resident(pictures), np.zeros(2000)))
    assert rows.nbytes <= 64 * 2**20
    assert len(rows) > 100
