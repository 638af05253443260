"""Learning rates that change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.unit.trainer.test_checkpoints import folder_of
from tests.unit.trainer.test_resume import OBJECTIVE, PART, ROWS
from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.progress import Tracker
from trainyard_trainer.training import checkpoints, optimizers
from trainyard_trainer.training.fit import Fitting, Surroundings, fit
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.monitoring import improves
from trainyard_trainer.training.optimizers import schedules
from trainyard_trainer.training.optimizers.schedules import Span, plateau_of
from trainyard_trainer.training.optimizers.schedules.plateau import Memory, Rule

STEPS, PER_EPOCH = 100, 10


def training(**schedule: Any) -> Training:
    return Training.model_validate({"optimizer": {"learningRate": 1.0}, "schedule": schedule})


def rates(spec: Training) -> list[float]:
    """Of each step, and of the one after the last."""
    optimizer = optimizers.build(spec, STEPS, PER_EPOCH)
    found = []
    for step in range(STEPS + 1):
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    return found


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("cosine", {}, {0: 1.0, 50: 0.5, 100: 0.0}),
        ("cosine_restarts", {}, {0: 1.0, 5: 0.5, 10: 1.0, 20: 0.5, 30: 1.0}),
        ("inverse_time", {}, {0: 1.0, 10: 1 / 1.5, 20: 0.5}),
        ("one_cycle", {}, {0: 0.04, 15: 0.52, 30: 1.0, 65: 0.5, 100: 4e-6}),
        ("one_cycle", {"rising": 0.5, "first_divisor": 10}, {0: 0.1, 50: 1.0}),
        ("piecewise", {"boundaries": [20, 60]}, {0: 1.0, 19: 1.0, 20: 0.1, 59: 0.1, 60: 0.01}),
        ("piecewise", {"boundaries": [20], "factors": [0.5]}, {19: 1.0, 20: 0.5, 100: 0.5}),
        ("polynomial", {}, {0: 1.0, 50: 0.5, 100: 0.0}),
        ("polynomial", {"power": 2.0}, {50: 0.25}),
        ("reduce_on_plateau", {}, {0: 1.0, 100: 1.0}),
    ],
)
def test_rate_of_a_step(name: str, arguments: Any, expected: dict[int, float]) -> None:
    found = rates(training(name=name, arguments=arguments))
    for step, rate in expected.items():
        assert found[step] == pytest.approx(rate, abs=1e-5), step


@pytest.mark.parametrize("name", ["constant", "cosine", "one_cycle", "reduce_on_plateau"])
def test_every_schedule_begins_after_its_warm_up(name: str) -> None:
    warm = rates(training(name=name, warmupSteps=10))
    first = 0.04 if name == "one_cycle" else 1.0

    assert warm[:10] == pytest.approx([first * (step + 1) / 10 for step in range(10)], rel=1e-5)
    assert warm[10] == pytest.approx(first, rel=1e-5)
    assert warm[100] == pytest.approx(rates(training(name=name))[100], abs=1e-6)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"warmupSteps": 100}, r"warmupSteps: is 100, and the training has 100 steps"),
        ({"name": "cosine", "arguments": {"decay_steps": 101}}, r"decay_steps: is 101 .*100 steps"),
        ({"name": "exponential", "arguments": {"decay_steps": 200}}, "decay_steps.*100 steps"),
        (
            {"name": "cosine", "warmupSteps": 20, "arguments": {"decay_steps": 90}},
            "is 90 after 20 of warm-up.*100 steps",
        ),
        ({"name": "piecewise", "arguments": {"boundaries": [10, 100]}}, "step 100 .*100 steps"),
        ({"name": "piecewise"}, "piecewise needs boundaries"),
        ({"name": "piecewise", "arguments": {"boundaries": [20, 10]}}, "that rise"),
        ({"name": "piecewise", "arguments": {"boundaries": 5}}, "a list of numbers, not 5"),
        (
            {"name": "piecewise", "arguments": {"boundaries": [5], "factors": [1, 2]}},
            "1 boundaries and 2 factors",
        ),
        ({"name": "one_cycle", "arguments": {"rising": 1.0}}, "rising is 1"),
        (
            {"name": "one_cycle", "arguments": {"peak": 1.0}},
            "one_cycle has no argument peak.*rising",
        ),
        (
            {"name": "cosine", "arguments": {"warmup_steps": 1}},
            "cosine has no argument warmup_steps",
        ),
        ({"name": "cosine", "arguments": {"decay_steps": 0}}, "decay_steps: must be at least 1"),
        (
            {"name": "reduce_on_plateau", "arguments": {"patience": 9}},
            "patience: is 9 epochs.*10 epochs of 10.*at least 11 epochs",
        ),
        ({"name": "reduce_on_plateau", "arguments": {"factor": 1.0}}, "factor is 1"),
        ({"name": "reduce_on_plateau", "arguments": {"monitor": 3}}, "monitor: should be text"),
    ],
)
def test_schedule_that_does_not_fit_is_refused(schedule: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec, match=rf"spec\.training\.schedule.*{said}"):
        schedules.check_length(training(**schedule).schedule, Span(STEPS, PER_EPOCH))


@pytest.mark.parametrize(
    "name", ["constant", "cosine", "cosine_restarts", "exponential", "inverse_time", "one_cycle"]
)
def test_schedule_without_arguments_fits_every_training(name: str) -> None:
    schedules.check_length(training(name=name).schedule, Span(1, 1))


def follow(rule: Rule, *values: float) -> list[float]:
    memory, scales = Memory(), []
    for value in values:
        memory = Memory.of(rule.after(memory, value).values())
        scales.append(memory.scale)
    return scales


def test_rate_is_reduced_after_epochs_without_improvement() -> None:
    rule = Rule(1.0, factor=0.5, patience=2)
    assert follow(rule, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    assert follow(rule, 1.0, float("nan"), float("nan")) == [1.0, 1.0, 0.5]


def test_rate_rests_after_a_reduction_and_never_falls_below_its_least() -> None:
    resting = Rule(1.0, factor=0.5, patience=1, cooldown=2)
    assert follow(resting, 1.0, 1.0, 1.0, 1.0, 1.0) == [1.0, 0.5, 0.5, 0.5, 0.25]
    least = Rule(0.1, factor=0.1, patience=1, min_lr=0.05)
    assert follow(least, 1.0, 1.0, 1.0) == [1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("measure", "better"), [("val_accuracy", 0.7), ("val_roc_auc", 0.7), ("val_loss", 0.3)]
)
def test_direction_follows_from_the_measure(measure: str, better: float) -> None:
    assert improves(measure, better, 0.5)
    assert not improves(measure, 1.0 - better, 0.5)
    assert not improves(measure, better, 0.5, by=0.3)


def fitting(epochs: int) -> Fitting:
    """No weight is worth more than another: the validation loss cannot fall by min_delta."""
    spec = {
        "epochs": epochs,
        "batchSize": 4,
        "optimizer": {"name": "sgd", "learningRate": 0.01},
        "schedule": {
            "name": "reduce_on_plateau",
            "arguments": {"patience": 1, "factor": 0.5, "min_delta": 100.0},
        },
    }
    layers = [keras.Input((3,)), keras.layers.Dense(2, "softmax")]
    return Fitting(
        lambda: keras.Sequential(layers), OBJECTIVE, PART, PART, Training.model_validate(spec)
    )


def test_a_training_reduces_its_rate_on_a_plateau_and_shows_it() -> None:
    tracker = Tracker()
    around = Surroundings(tracker, None, Surroundings.none().outside)
    fitted = fit(fitting(4), Gang.alone(), around)

    assert fitted.steps == 4 * ROWS // 4
    # Reduced after epochs 2 and 3; what is shown is of the last call, before the last epoch's end.
    assert tracker.snapshot().metrics["learning_rate"] == pytest.approx(0.01 * 0.25)


def test_a_restart_goes_on_with_the_reduced_rate(tmp_path: Path) -> None:
    def state() -> State:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        optimizer = optimizers.build(training(name="reduce_on_plateau", warmupSteps=1), 100, 10)
        optimizer.build(model.trainable_variables)
        optimizer.iterations.assign(5)
        return State(model, optimizer)

    gang, first = Gang.alone(), state()
    first.step = 5
    for _ in range(5):
        first.judge_rate(gang, {"val_loss": 0.1 + 0.2})
    assert first.learning_rate == pytest.approx(0.1)
    checkpoints.save(folder_of(tmp_path), first.snapshot(), keep=1)
    second = state()
    second.resume(gang, folder_of(tmp_path))

    assert second.learning_rate == first.learning_rate
    held = [plateau_of(each._optimizer) for each in (first, second)]
    assert held[0] is not None
    assert held[1] is not None
    np.testing.assert_array_equal(held[0].memory.numpy(), held[1].memory.numpy())
