"""What holds of every generator of rows for rare classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trainer.rare_classes import (
    CLASSES,
    COMMON,
    GENERATORS,
    KINDS,
    RARE,
    array,
    by_vae,
    dataset_of,
    made,
)
from trainyard_api.spec import Generation
from trainyard_trainer.data.generation.wanted import Wanted
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Quantities
from trainyard_trainer.errors import InvalidData, InvalidSpec
from trainyard_trainer.training import generating

every = pytest.mark.parametrize(
    ("method", "kind"), [(method, kind) for method in GENERATORS for kind in KINDS]
)


@every
def test_a_rare_class_gets_the_rows_that_it_lacks_behind_the_real_ones(
    method: str, kind: str
) -> None:
    result = made(method, kind)
    lacks = round(0.8 * COMMON) - RARE

    assert np.bincount(result.train.targets).tolist() == [COMMON, RARE + lacks]
    assert result.train.targets[len(result.before.train) :].tolist() == [1] * lacks
    real = result.train.features()[: len(result.before.train)]
    np.testing.assert_array_equal(real, result.before.train.features())
    assert result.after.train is result.before.train, "it stays one of real rows"
    assert result.after.generated == lacks
    assert f"generation ({method}): {lacks} rows are made for rare {lacks}" in result.after.notes[0]
    assert "with an ROC AUC of" in result.after.notes[0]


@every
def test_made_rows_are_of_the_shape_the_type_and_the_range_of_real_ones(
    method: str, kind: str
) -> None:
    result = made(method, kind)
    real, rows = result.before.train.features(), result.rows

    assert (rows.dtype, rows.shape[1:]) == (real.dtype, real.shape[1:])
    assert np.isfinite(rows).all()
    lowest, highest = np.nanmin(real, axis=0), np.nanmax(real, axis=0)
    assert ((rows >= lowest - 1e-3 * abs(lowest)) & (rows <= highest + 1e-3 * abs(highest))).all()
    for column in result.before.schema.columns:
        if column.kind in ("category", "boolean"):
            known = real[np.isfinite(real[:, column.first]), column.first]
            assert set(rows[:, column.first]) <= set(known), column.name
    assert len(np.unique(rows.reshape(len(rows), -1), axis=0)) >= (
        3 if kind == "categories" else 50
    )


@every
def test_made_rows_are_like_those_of_their_class(method: str, kind: str) -> None:
    result = made(method, kind)
    real, label = result.before.train.features(), result.before.train.targets
    common, rare = (np.nanmean(real[label == each], axis=0) for each in (0, 1))
    spread = np.nanstd(real, axis=0) + 1e-6
    mean = result.rows.mean(axis=0)

    assert np.square((mean - rare) / spread).sum() < 0.5 * np.square((mean - common) / spread).sum()


@every
def test_the_same_rows_are_made_again(method: str, kind: str) -> None:
    each = Wanted(1, 30)
    generator = made(method, kind).generator
    np.testing.assert_array_equal(generator(each), generator(each))


def test_a_vae_makes_rows_of_each_class_as_it_is() -> None:
    generator = made("vae", "array").generator
    common, rare = (generator(Wanted(label, 200)) for label in (0, 1))

    np.testing.assert_allclose(common[:, 0].mean(), 0.0, atol=0.5)
    np.testing.assert_allclose(rare[:, 0].mean(), 4.0, atol=0.8)
    assert np.median(rare[:, 1]) > 10 * np.median(common[:, 1])
    seen = set(made("vae", "array").before.train.features()[:, 2])
    assert set(rare[:, 2]) <= seen, "a column of steps keeps them"


def test_a_class_of_one_row_is_enough_for_a_vae_and_too_little_for_smote() -> None:
    lonely = array(rare=1)
    with pytest.raises(InvalidData, match=r"generation: the class rare has a single.*method: vae"):
        generating.check(lonely, Generation(method="smote"))

    generating.check(lonely, Generation(method="vae"))
    rows = by_vae(lonely)(Wanted(1, 40))
    assert rows.shape == (40, 5)
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("method", GENERATORS)
def test_what_cannot_be_generated_is_refused(method: str) -> None:
    generation = Generation.model_validate({"method": method})
    numbers = Schema((5,), Quantities(("price",)))
    with pytest.raises(InvalidSpec, match=r"spec\.data\.generation: .*task is regression"):
        generating.check(replace(array(), schema=numbers), generation)
    texts = Schema((5,), CLASSES, (Column("comment", "text", 0, 5, vocabulary=("[UNK]",)),))
    with pytest.raises(InvalidSpec, match=r"texts cannot be generated \(comment\)"):
        generating.check(replace(array(), schema=texts), generation)


def test_rows_of_more_numbers_than_a_vae_can_bear_are_refused() -> None:
    large = dataset_of(
        np.zeros((3, 200, 200, 1), np.uint8), Schema((200, 200, 1), CLASSES), np.array([0, 0, 1])
    )
    with pytest.raises(InvalidSpec, match=r"up to 32768 .* here have 40000; set it to smote"):
        generating.check(large, Generation(method="vae"))
    generating.check(large, Generation(method="vae", ratio=0.5))
