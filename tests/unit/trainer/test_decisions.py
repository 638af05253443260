"""Pace, early stopping, optimizers and metrics."""

import math
from typing import Any

import keras
import pytest

from trainyard_api.spec import Training
from trainyard_api.spec.training import EarlyStopping
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training import optimizers
from trainyard_trainer.training.fit.pace import Pace
from trainyard_trainer.training.stopping import Patience


def test_auto_aims_at_half_a_second_a_call() -> None:
    pace = Pace("auto")
    assert [pace.plan(1000), pace.plan(1000)] == [1, 4]
    pace.measured(1, seconds=3.0)
    assert pace.plan(1000) == 4, "the first call's time is that of building the graph"
    pace.measured(4, seconds=0.04)

    assert pace.plan(1000) == 50
    assert pace.plan(7) == 7, "never beyond a checkpoint or an epoch's end"


def test_auto_makes_single_steps_of_slow_ones() -> None:
    pace = Pace("auto")
    pace.measured(1, 9.0)
    pace.measured(4, 40.0)

    assert pace.plan(100) == 1


def test_given_steps_are_kept_but_for_the_memory_that_they_take() -> None:
    assert Pace(30).plan(100) == 30
    assert Pace(30).plan(9) == 9
    assert Pace(30, most=3).plan(100) == 3


def test_patience_runs_out_after_epochs_without_improvement() -> None:
    spec = EarlyStopping(monitor="val_loss", patience=2)
    patience = Patience()
    for value in (1.0, 0.8, 0.9, 0.8):
        assert not patience.stopped
        patience = patience.after(spec, value)

    assert patience == Patience(best=0.8, waited=2, stopped=True)


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_nan_is_never_the_best(monitor: str) -> None:
    spec = EarlyStopping(monitor=monitor, patience=3)
    patience = Patience().after(spec, math.nan)
    assert patience == Patience(best=None, waited=1)
    patience = patience.after(spec, 0.5)
    assert patience == Patience(best=0.5)
    assert patience.after(spec, math.nan) == Patience(best=0.5, waited=1)
    assert Patience(best=math.nan).after(spec, 0.5) == Patience(best=0.5), "of an older checkpoint"
    assert Patience(waited=2).after(spec, math.nan).stopped


def test_accuracy_improves_upwards() -> None:
    spec = EarlyStopping(monitor="val_accuracy", patience=1)
    patience = Patience().after(spec, 0.7).after(spec, 0.8)

    assert patience == Patience(best=0.8)
    assert patience.after(spec, 0.7).stopped


def test_little_improvement_is_none() -> None:
    spec = EarlyStopping(monitor="val_accuracy", patience=2, minDelta=0.05)
    patience = Patience()
    for value in (0.5, 0.54, 0.56, 0.6):
        patience = patience.after(spec, value)

    assert patience == Patience(best=0.56, waited=1)


def training(**fields: Any) -> Training:
    return Training.model_validate(fields)


def test_optimizer_takes_its_name_rate_and_arguments() -> None:
    spec = training(optimizer={"name": "SGD", "learningRate": 0.5, "arguments": {"momentum": 0.9}})
    optimizer = optimizers.build(spec, steps=100, steps_per_epoch=10)

    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == 0.5
    assert optimizer.momentum == 0.9


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ({"name": "cosine"}, 50, 0.5),
        ({"name": "cosine"}, 100, 0.0),
        ({"name": "cosine", "arguments": {"alpha": 0.2}}, 100, 0.2),
        ({"name": "exponential"}, 10, 0.9),
        ({"name": "exponential", "arguments": {"decay_rate": 0.5}}, 20, 0.25),
    ],
)
def test_schedule_decays_over_the_training(
    schedule: dict[str, Any], step: int, expected: float
) -> None:
    spec = training(optimizer={"learningRate": 1.0}, schedule=schedule)
    optimizer = optimizers.build(spec, steps=100, steps_per_epoch=10)
    optimizer.iterations.assign(step)

    assert float(optimizer.learning_rate) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"optimizer": {"name": "adamm"}}, r"spec\.training\.optimizer\.name.*adamw"),
        (
            {"optimizer": {"arguments": {"beta": 1}}},
            "Adam has no argument beta .*beta_1",
        ),
        ({"optimizer": {"arguments": {"learning_rate": 1}}}, "learning_rate"),
        ({"schedule": {"name": "cosine", "arguments": {"rate": 1}}}, "alpha"),
        ({"schedule": {"arguments": {"rate": 1}}}, "constant takes none"),
        ({"optimizer": {"arguments": {"beta_1": "x"}}}, r"arguments\.beta_1: .*a number, not 'x'$"),
        ({"optimizer": {"arguments": {"epsilon": "1e-7"}}}, r"epsilon: .*with a point.*1\.0e-7"),
        ({"optimizer": {"arguments": {"clipnorm": True}}}, r"arguments\.clipnorm: .*a number"),
        ({"optimizer": {"arguments": {"amsgrad": 1}}}, r"arguments\.amsgrad: .*true or false"),
        ({"schedule": {"name": "cosine", "arguments": {"decay_steps": "x"}}}, "decay_steps: .*'x'"),
    ],
)
def test_unknown_name_or_argument_lists_the_known(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        optimizers.check(training(**fields))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps: must be a whole number"),
        ({"gradient_accumulation_steps": 1.5}, "gradient_accumulation_steps: must be a whole"),
        ({"ema_overwrite_frequency": 5}, "is of moving averages; set use_ema: true as well"),
    ],
)
def test_updates_are_decided_by_whole_steps(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        optimizers.check(training(optimizer={"name": "sgd", "arguments": arguments}))


def test_an_update_of_more_steps_than_there_are_is_refused() -> None:
    spec = training(optimizer={"name": "sgd", "arguments": {"gradient_accumulation_steps": 11}})
    optimizers.check_length(spec, 11, 1)
    with pytest.raises(InvalidSpec, match="is 11, and the training has 10 steps"):
        optimizers.check_length(spec, 10, 1)


def test_argument_that_keras_refuses_is_an_invalid_spec() -> None:
    spec = training(optimizer={"name": "sgd", "arguments": {"momentum": "much"}})
    with pytest.raises(InvalidSpec, match=r"spec\.training\.optimizer\.arguments"):
        optimizers.build(spec, 10, 1)
