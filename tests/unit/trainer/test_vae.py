"""How a variational autoencoder learns rows, and makes new ones."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from scipy.special import log_softmax
from scipy.stats import norm

from tests.unit.trainer.rare_classes import (
    CLASSES,
    COMMON,
    RARE,
    RESIDENCE,
    array,
    categories,
    dataset_of,
    fitting,
    table,
)
from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec.model import Vae
from trainyard_api.spec.training import Checkpoint
from trainyard_trainer.data.generation.coding import Coding
from trainyard_trainer.data.generation.layout import Layout
from trainyard_trainer.data.generation.quantiles import Quantiles
from trainyard_trainer.data.generation.rows import some_of_each
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models import vae
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training import checkpoints, row_making
from trainyard_trainer.training.fit import Fitted, Surroundings, fit
from trainyard_trainer.training.fit.loop import Outside
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.elbo import NegativeElbo


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
