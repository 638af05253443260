"""What every task's model has to do: learn, resume, and be exported for others."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.unit.trainer.families_tasks import FAMILIES, Family, Job
from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_trainer import export
from trainyard_trainer.compress import float32
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.data.rows import Part
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Store
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.fit import Fitted, Surroundings, fit
from trainyard_trainer.training.fit.graph import Measurer
from trainyard_trainer.training.fit.loop import Outside
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
trained = pytest.mark.parametrize(
    "family",
    [family for family in FAMILIES if "output" not in family.model],
    ids=lambda family: family.name,
)
"""What differs while it trains; what is exported does not matter then."""
ROWS = 20


def outputs(job: Job, fitted: Fitted, part: Part) -> np.ndarray:
    return Measurer(Gang.alone(), fitted.model, Supervised(job.task), part).predict()


@families
def test_what_is_exported_answers_alike_for_keras_tensorflow_and_litert(
    family: Family, tmp_path: Path
) -> None:
    job = Job.of(family.spec(tmp_path, epochs=1))
    fitted = job.fitted()
    test = job.dataset.test.only(np.arange(ROWS))
    exported = job.exported(fitted)
    expected = job.task.answers(outputs(job, fitted, test))
    rows = exported.taken(test.features()).astype(np.float32)

    store = Store.open(f"file://{tmp_path}/store", {}, "train", 1)
    export.export_model(exported.model, job.task.output, exported.schema, store)
    with store.keras_model.on_disk() as path:
        # Layers of our own would be unknown here, as they are wherever Trainyard is not.
        read = keras.models.load_model(path)
    with store.saved_model.on_disk() as folder:
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
        (told,) = signature(features=tf.constant(rows)).values()
        lite = LiteModel(float32.convert(folder, rows), ROWS).predict(rows)

    assert expected.shape == (ROWS, job.task.outputs)
    for answers in (read(rows), told, lite):
        np.testing.assert_allclose(np.asarray(answers), expected, rtol=2e-4, atol=2e-4)


@trained
def test_an_epoch_makes_the_loss_smaller(family: Family, tmp_path: Path) -> None:
    job = Job.of(family.spec(tmp_path, epochs=1))
    untrained = job.fitting.build()
    part = job.dataset.validation

    def loss(model: keras.Model) -> float:
        return Measurer(Gang.alone(), model, Supervised(job.task), part).measure().loss

    assert loss(job.fitted().model) < loss(untrained)


@trained
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    family: Family, tmp_path: Path
) -> None:
    job = Job.of(family.spec(tmp_path, epochs=2, stepsPerExecution=1, seed=3))

    def train(asked: list[bool]) -> Fitted:
        outside = Outside(
            lambda: bool(asked) and asked.pop(0),
            lambda snapshot: checkpoints.save(folder_of(tmp_path), snapshot, 2),
            lambda: None,
            None,
        )
        return fit(job.fitting, Gang.alone(), Surroundings(Tracker(), folder_of(tmp_path), outside))

    straight = job.fitted()
    first = train([False, False, True])
    assert not first.finished
    second = train([])
    assert second.resumed_from == first.steps > 0
    for resumed, whole in zip(
        second.model.get_weights(), straight.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(resumed, whole)
