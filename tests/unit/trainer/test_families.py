"""What holds for every family of models."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.unit.trainer.families import FAMILIES, Work
from tests.unit.trainer.test_augmented_training import stopping
from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_trainer.compress import dynamic_range, float32
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.export import export_model
from trainyard_trainer.models import building
from trainyard_trainer.store import Store
from trainyard_trainer.training.fit import Surroundings, fit
from trainyard_trainer.training.gang import Gang


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_learns_and_goes_on_as_if_it_had_not_been_stopped(
    name: str, tmp_path: Path
) -> None:
    regularization = {"dropout": 0.1, "l2": 1e-4} if FAMILIES[name].regularized else {}
    model = FAMILIES[name].model | {"regularization": regularization}
    spec = FAMILIES[name].spec(tmp_path, optimizer={"learningRate": 0.02}) | {"model": model}
    work = Work.of(spec)
    building.check(work.spec.model, work.dataset.schema)
    surroundings = Surroundings.none()
    straight = fit(work.fitting(), Gang.alone(), surroundings)
    folder = folder_of(tmp_path)
    assert not fit(work.fitting(), Gang.alone(), stopping(folder, calls=3)).finished
    resumed = fit(work.fitting(), Gang.alone(), stopping(folder, calls=100))

    assert 0 < resumed.resumed_from < straight.steps
    for after, expected in zip(
        resumed.model.get_weights(), straight.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(after, expected)
    losses = surroundings.tracker.snapshot().metrics
    assert losses["loss"] < FAMILIES[name].guess


@pytest.mark.parametrize("name", FAMILIES)
def test_all_forms_of_a_family_agree_on_every_row(name: str, tmp_path: Path) -> None:
    work = Work.of(FAMILIES[name].spec(tmp_path))
    model = work.fitting().build()
    rows = work.dataset.test.features().astype(np.float32)
    answers = model(rows).numpy()
    assert np.ptp(answers, axis=0).max() > 1e-3, "all rows are answered alike"
    store = Store.open(f"file://{tmp_path}", {}, "train", 1)
    export_model(model, "output", work.dataset.schema, store)
    with store.keras_model.on_disk() as path:
        kept = keras.models.load_model(path, compile=False)(rows).numpy()
    with store.saved_model.on_disk() as folder:
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
        (saved,) = signature(features=tf.constant(rows)).values()
        lite = LiteModel(float32.convert(folder, rows), 1)
        small = LiteModel(dynamic_range.convert(folder, rows), len(rows))
    served = np.concatenate([lite.predict(row[np.newaxis]) for row in rows])

    for other in (kept, saved.numpy(), served):
        np.testing.assert_allclose(other, answers, atol=1e-5)
    np.testing.assert_allclose(small.predict(rows), answers, atol=0.02)
