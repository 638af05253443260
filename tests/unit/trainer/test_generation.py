"""Rows that are made for rare classes: what holds of every generator, and how the VAE learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax
from scipy.stats import norm

from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec import Generation
from trainyard_api.spec.model import Vae
from trainyard_api.spec.training import Checkpoint
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.data.generation.coding import Coding
from trainyard_trainer.data.generation.generate import Generator, with_generated
from trainyard_trainer.data.generation.layout import Layout
from trainyard_trainer.data.generation.quantiles import Quantiles
from trainyard_trainer.data.generation.rows import some_of_each
from trainyard_trainer.data.generation.smote import smote
from trainyard_trainer.data.generation.wanted import Wanted, wanted
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidData, InvalidSpec
from trainyard_trainer.models import vae
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training import checkpoints, generating, row_making
from trainyard_trainer.training.elbo import NegativeElbo
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.loop import Outside

COMMON, RARE = 300, 24
CLASSES = Classes(("common", "rare"))
RESIDENCE = Residence("never", 2**30, Path("/tmp"))


def dataset_of(features: NDArray[Any], schema: Schema, targets: NDArray[np.int64]) -> Dataset:
    part = whole(Resident(features), targets)
    return Dataset(part, part.only(np.arange(0)), part, schema)


def targets(rare: int = RARE) -> NDArray[np.int64]:
    return np.repeat([0, 1], [COMMON, rare])


def array(rare: int = RARE) -> Dataset:
    """Five numbers of different scales, of which each depends on the class."""
    label = targets(rare)
    random = np.random.default_rng(0)
    rows = random.normal(4.0 * label[:, np.newaxis], 1.0, (len(label), 5))
    rows[:, 1] = np.exp(rows[:, 1])
    rows[:, 2] = np.round(1000.0 * rows[:, 2])
    return dataset_of(rows.astype(np.float32), Schema((5,), CLASSES), label)


def table() -> Dataset:
    """Numbers with gaps, times, truth values and categories: 0 stands for any unknown one."""
    label = targets()
    random = np.random.default_rng(1)
    columns = (
        Column("city", "category", 0, vocabulary=("Oslo", "Rome", "Lima")),
        Column("age", "number", 1, fill=-3.0),
        Column("member", "boolean", 2, fill=1.0),
        Column("since", "time", 3, shift=1.6e9),
        Column("size", "category", 4, vocabulary=("small", "large")),
    )
    rows = np.zeros((len(label), 5), np.float32)
    rows[:, 0] = np.where(
        random.random(len(label)) < 0.8, 1 + label, random.integers(1, 4, len(label))
    )
    rows[:, 1] = np.round(random.normal(10.0 * label, 3.0))
    rows[:, 2] = random.random(len(label)) < 0.2 + 0.6 * label
    rows[:, 3] = random.uniform(-1e6, 1e6, len(label))
    rows[:, 4] = random.integers(0, 3, len(label))  # 0: none of the vocabulary
    rows[::7, 1] = rows[::5, 2] = np.nan
    return dataset_of(rows, Schema((5,), CLASSES, columns), label)


def categories() -> Dataset:
    """A table without a single number."""
    dataset = table()
    columns = (
        replace(dataset.schema.columns[0], first=0),
        replace(dataset.schema.columns[4], first=1),
    )
    rows = dataset.train.features()[:, [0, 4]]
    return dataset_of(rows, Schema((2,), CLASSES, columns), targets())


def pictures() -> Dataset:
    """A bright bar: upright in common pictures, flat in rare ones."""
    label = targets()
    random = np.random.default_rng(2)
    shown = np.zeros((len(label), 6, 6, 2))
    for picture, flat, place in zip(shown, label, random.integers(1, 4, len(label)), strict=True):
        bar = picture.swapaxes(0, 1) if flat else picture
        bar[:, place : place + 2] = 200.0
    shown += random.uniform(0.0, 30.0, shown.shape)
    return dataset_of(shown.astype(np.uint8), Schema((6, 6, 2), CLASSES), label)


KINDS = {"array": array, "table": table, "categories": categories, "pictures": pictures}


def fitting(dataset: Dataset, epochs: int = 8, **training: Any) -> tuple[Coding, Fitting]:
    coding = Coding(dataset.train, dataset.schema, 0)
    coded = coding.coded(dataset.train, RESIDENCE)
    made = row_making.fitting_of(coding, coded, 2, 0, Checkpoint())
    few = made.training.model_copy(update={"epochs": epochs} | training)
    return coding, replace(made, training=few)


def by_vae(dataset: Dataset) -> Generator:
    coding, what = fitting(dataset)
    fitted = fit(what, Gang.alone(), Surroundings.none())
    return partial(row_making.make, fitted.model, coding, 2, 0)


def by_smote(dataset: Dataset) -> Generator:
    return partial(smote, dataset.train, dataset.schema, seed=0)


GENERATORS: dict[str, Callable[[Dataset], Generator]] = {"smote": by_smote, "vae": by_vae}


@dataclass(frozen=True)
class Made:
    """What a generator made of a data set."""

    before: Dataset
    after: Dataset
    train: Part
    generator: Generator

    @property
    def rows(self) -> NDArray[Any]:
        """Those that were made."""
        return self.train.features()[len(self.before.train) :]


@cache
def made(method: str, kind: str) -> Made:
    dataset = KINDS[kind]()
    generator = GENERATORS[method](dataset)
    generation = Generation.model_validate({"method": method, "ratio": 0.8})
    lacking = wanted(dataset.train, 2, generation.ratio)
    after, train = with_generated(dataset, generation, lacking, generator, RESIDENCE)
    return Made(dataset, after, train, generator)


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
    with pytest.raises(InvalidSpec, match=r"spec\.data\.generation: .*numbers are learned here"):
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


def test_scores_of_a_column_are_normal_whatever_its_distribution() -> None:
    column = np.exp(3.0 * np.random.default_rng(0).normal(size=4000)).astype(np.float32)
    known = Quantiles.of(column)
    scores = known.scores_of(column)

    assert abs(scores.mean()) < 0.01
    np.testing.assert_allclose(scores.std(), 1.0, atol=0.02)
    np.testing.assert_array_equal(known.values_of(scores), column)
    assert known.values_of(np.array([-99.0, 99.0], np.float32)).tolist() == [
        column.min(),
        column.max(),
    ]


def test_a_column_that_is_mostly_zero_stays_so() -> None:
    column = np.where(np.arange(1000) % 10 == 0, np.arange(1000), 0).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=20_000).astype(np.float32)

    assert abs(np.mean(Quantiles.of(column).values_of(noise) == 0.0) - 0.901) < 0.01
    assert Quantiles.of(np.full(7, 5.0, np.float32)).scores_of(column[:2]).tolist() == [0.0, 0.0]


def test_a_rare_class_keeps_its_values_beside_any_number_of_common_rows() -> None:
    label = np.repeat([0, 1], [30_000, 10])
    features = np.random.default_rng(0).normal(100.0 * label, 1.0).astype(np.float32)
    dataset = dataset_of(features[:, np.newaxis], Schema((1,), CLASSES), label)
    coding = Coding(dataset.train, dataset.schema, 0)
    coded = coding.code(dataset.train.features())

    decoded = np.concatenate([coded, np.full_like(coded, -40.0)], axis=1)
    rows = coding.draw(decoded, np.random.default_rng(0))
    np.testing.assert_array_equal(rows[-10:], dataset.train.features()[-10:])


def test_of_many_rows_those_of_rare_classes_are_all_learned_from() -> None:
    part = array().train
    kept = some_of_each(part, 2, 100, np.random.default_rng(0))

    assert np.bincount(kept.targets).tolist() == [50, RARE]
    np.testing.assert_array_equal(kept.targets, part.targets[kept.numbers])
    assert some_of_each(part, 2, len(part), np.random.default_rng(0)) is part


def test_what_is_decoded_with_certainty_is_drawn_as_it_was_coded() -> None:
    dataset = table()
    coding = Coding(dataset.train, dataset.schema, 0)
    coded = coding.coded(dataset.train, RESIDENCE).features()
    layout = coding.layout
    assert layout == Layout(numbers=2, categories=(4, 2, 3))
    decoded = np.concatenate([coded, np.full((len(coded), layout.numbers), -40.0)], axis=1)
    decoded[:, layout.numbers : layout.width] = 80.0 * coded[:, layout.numbers :] - 40.0

    rows, real = (
        coding.draw(decoded.astype(np.float32), np.random.default_rng(0)),
        (dataset.train.features()),
    )
    filled = np.where(np.isnan(real), [0.0, -3.0, 1.0, 0.0, 0.0], real)
    np.testing.assert_array_equal(rows, filled.astype(np.float32))


def test_codes_that_were_seen_are_drawn_as_often_as_they_are_likely() -> None:
    dataset = categories()
    coding = Coding(dataset.train, dataset.schema, 0)
    shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.25, 0.25]  # an unknown city was never seen
    decoded = np.tile(np.log(shares).astype(np.float32), (20_000, 1))
    rows = coding.draw(decoded, np.random.default_rng(0)).astype(np.int64)

    found = [
        np.bincount(column, minlength=size) / len(rows)
        for column, size in zip(rows.T, (4, 3), strict=True)
    ]
    expected = [0.0, 2 / 9, 3 / 9, 4 / 9, 0.5, 0.25, 0.25]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=0.015)


def test_the_objective_is_the_negative_evidence_lower_bound() -> None:
    layout, random = Layout(numbers=2, categories=(2, 3)), np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = vae.build(Vae(latentDimensions=3, units=[7]), layout.width, layout.numbers, 2)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    rows = random.normal(size=(5, 7)).astype(np.float32)
    rows[:, 2:4] = np.eye(2)[[0, 1, 1, 0, 1]]
    rows[:, 4:] = np.eye(3)[[0, 1, 2, 1, 1]]
    label = np.array([0, 1, 1, 0, 0])

    condition = np.eye(2, dtype=np.float32)[label]
    mean, log_variance, decoded = (np.asarray(each) for each in model([rows, condition]))
    likely = norm.logpdf(rows[:, :2], decoded[:, :2], np.exp(0.5 * decoded[:, 7:])).sum(axis=1)
    for places in (slice(2, 4), slice(4, 7)):
        likely += (log_softmax(decoded[:, places], axis=1) * rows[:, places]).sum(axis=1)
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=1)
    computed = NegativeElbo(layout, 2, beta=0.5).compute(
        model, keras.ops.convert_to_tensor(rows), label, training=False
    )

    np.testing.assert_allclose(computed.losses, 0.5 * kl - likely, rtol=1e-4)
    np.testing.assert_allclose(computed.measures[0], -likely, rtol=1e-4)
    np.testing.assert_allclose(computed.measures[1], kl, rtol=1e-4)


def test_latents_are_drawn_while_it_trains_and_are_their_means_otherwise() -> None:
    keras.utils.set_random_seed(0)
    sampling = vae.Sampling()
    mean, log_variance = np.full((20_000, 1), 3.0, np.float32), np.full((20_000, 1), np.log(4.0))
    drawn = np.asarray(sampling(mean, log_variance.astype(np.float32), training=True))

    np.testing.assert_allclose([drawn.mean(), drawn.std()], [3.0, 2.0], atol=0.05)
    np.testing.assert_array_equal(sampling(mean, log_variance, training=False), mean)


def test_few_rows_are_learned_from_as_often_as_many_in_as_many_epochs_as_are_told() -> None:
    _, what = fitting(array(), epochs=1)
    coding = Coding(array().train, array().schema, 0)
    training = row_making.fitting_of(
        coding, coding.coded(array().train, RESIDENCE), 2, 0, Checkpoint(everySteps=7)
    ).training

    steps = training.epochs * len(what.train) / training.batchSize
    assert training.epochs <= 30
    assert 3900 < steps < 4300
    assert training.checkpoint.everySteps == 7
    assert np.bincount(what.train.targets)[0] % COMMON == 0


def test_a_vae_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def train(asked: list[bool]) -> Fitted:
        _, what = fitting(array(), epochs=2)
        outside = Outside(
            lambda: bool(asked) and asked.pop(0),
            lambda snapshot: checkpoints.save(folder_of(tmp_path), snapshot, 2),
            lambda: None,
            None,
        )
        return fit(what, Gang.alone(), Surroundings(Tracker(), folder_of(tmp_path), outside))

    _, what = fitting(array(), epochs=2)
    straight = fit(what, Gang.alone(), Surroundings.none())
    first = train([False, False, True])
    assert not first.finished
    second = train([])
    assert second.resumed_from == first.steps > 0
    for resumed, expected in zip(
        second.model.get_weights(), straight.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(resumed, expected)
    assert train([]).steps == second.steps, "a finished one is not trained again"
