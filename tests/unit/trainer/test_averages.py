"""With moving averages, what is measured, remembered and exported are the averages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.trainer.test_checkpoints import folder_of
from tests.unit.trainer.test_resume import OBJECTIVE, PART, ROWS, Training
from trainyard_api.spec import Training as TrainingSpec
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.fit import Surroundings
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.callbacks import Callbacks
from trainyard_trainer.training.fit.graph import Measurer
from trainyard_trainer.training.fit.loop import Loop, Machinery
from trainyard_trainer.training.fit.reporting import Length, Reporter
from trainyard_trainer.training.fit.sums import Sums

EPOCHS = 4
AVERAGED: dict[str, Any] = {"use_ema": True, "ema_momentum": 0.7}
Weights = list[NDArray[Any]]


def trainable(training: Training) -> Weights:
    return [np.asarray(v.numpy()) for v in training.model.trainable_variables]


def averages(training: Training) -> Weights:
    return [np.asarray(v.numpy()) for v in training.optimizer._model_variables_moving_average]


def same(one: Weights, other: Weights) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


class Watching(Measurer):
    """Notes what it measures, and says which epoch is the best."""

    def __init__(self, training: Training, best: int) -> None:
        super().__init__(training.gang, training.model, OBJECTIVE, PART)
        self._training = training
        self._best = best
        self.seen: list[Weights] = []

    def measure(self) -> Sums:
        super().measure()
        assert same(trainable(self._training), averages(self._training))
        self.seen.append(trainable(self._training))
        loss = 1.0 if len(self.seen) == self._best else 2.0
        return Sums(loss, 1.0, {"accuracy": 0.0})


def run(training: Training, measurer: Watching, *, restore: bool, start: int = 0) -> None:
    spec = TrainingSpec.model_validate(
        {
            "epochs": EPOCHS,
            "batchSize": 4,
            "earlyStopping": {
                "patience": EPOCHS,
                "restoreBest": restore,
                "startFromEpoch": start,
            },
        }
    )
    batches = Batches(ROWS, 4, training.gang.replicas, 0)
    reporter = Reporter(Tracker(), Length(EPOCHS, batches.steps_per_epoch), 4)
    machinery = Machinery(
        gang=training.gang,
        state=training.state,
        batches=batches,
        feed=training.feed,
        trainer=training.trainer,
        objective=OBJECTIVE,
        validation=measurer,
        callbacks=Callbacks((), training.gang),
    )
    loop = Loop(spec, machinery, reporter, Surroundings.none().outside)
    assert loop.run()


@pytest.mark.parametrize(("restore", "exported"), [(True, 2), (False, EPOCHS)])
def test_averages_of_the_best_epoch_or_else_of_the_last_are_exported(
    restore: bool, exported: int
) -> None:
    training = Training("Adam", **AVERAGED)
    measurer = Watching(training, best=2)
    run(training, measurer, restore=restore)
    assert len(measurer.seen) == EPOCHS
    assert same(trainable(training), measurer.seen[exported - 1])


def test_the_best_is_not_looked_for_before_its_first_epoch() -> None:
    training = Training("Adam", **AVERAGED)
    measurer = Watching(training, best=1)
    run(training, measurer, restore=True, start=1)
    assert same(trainable(training), measurer.seen[1]), "the first of equals"


def test_looking_at_the_averages_does_not_disturb_the_training() -> None:
    undisturbed = Training("Adam", **AVERAGED).train(0, 4)
    training = Training("Adam", **AVERAGED).train(0, 2)
    raw = trainable(training)
    with training.state.averaged(training.gang):
        assert not same(trainable(training), raw)
    assert same(trainable(training), raw)
    training.train(2, 4)
    assert same(trainable(training), trainable(undisturbed))
    assert same(averages(training), averages(undisturbed))


def test_averages_and_the_best_of_them_are_resumed_exactly(tmp_path: Path) -> None:
    first = Training("Adam", **AVERAGED).train(0, 2)
    with first.state.averaged(first.gang):
        first.state.keep_best()
    checkpoints.save(folder_of(tmp_path), first.state.snapshot(), keep=1)
    second = Training("Adam", **AVERAGED)
    second.state.resume(second.gang, folder_of(tmp_path))
    assert same(averages(second), averages(first))
    assert same(list(second.state.best), list(first.state.best))
    assert same(trainable(second.train(2, 4)), trainable(first.train(2, 4)))


def test_without_averages_the_weights_themselves_are_measured() -> None:
    training = Training("Adam").train(0, 1)
    raw = trainable(training)
    with training.state.averaged(training.gang):
        assert same(trainable(training), raw)
