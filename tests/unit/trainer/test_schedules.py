"""The learning rate from step to step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.families import FAMILIES, Work
from tests.unit.trainer.test_augmented_training import stopping
from tests.unit.trainer.test_checkpoints import folder_of
from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training import optimizers
from trainyard_trainer.training.fit import Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.optimizers.plateau import ReduceOnPlateau, Waiting

STEPS = 100


def training(schedule: dict[str, Any]) -> Training:
    return Training.model_validate({"optimizer": {"learningRate": 1.0}, "schedule": schedule})


def rate(schedule: dict[str, Any], step: int) -> float:
    """Of a training of ten epochs of ten steps, whose first rate is 1."""
    optimizer = optimizers.build(training(schedule), steps=STEPS, steps_per_epoch=10)
    optimizer.iterations.assign(step)
    return float(optimizer.learning_rate)


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ({"name": "constant"}, 70, 1.0),
        ({"name": "cosine"}, 50, 0.5),
        ({"name": "cosine"}, 100, 0.0),
        ({"name": "cosine", "arguments": {"alpha": 0.2}}, 100, 0.2),
        ({"name": "cosine_restarts"}, 0, 1.0),
        ({"name": "cosine_restarts"}, 10, 1.0),
        ({"name": "exponential"}, 10, 0.9),
        ({"name": "exponential", "arguments": {"decay_rate": 0.5}}, 20, 0.25),
        ({"name": "inverse_time"}, 100, 0.5),
        ({"name": "polynomial", "arguments": {"end_learning_rate": 0.0}}, 25, 0.75),
        ({"name": "one_cycle"}, 0, 1.0),
        ({"name": "one_cycle"}, 30, 10.0),
        ({"name": "one_cycle"}, 100, 0.001),
        ({"name": "one_cycle", "arguments": {"peak": 3.0, "share": 0.5}}, 50, 3.0),
        ({"name": "one_cycle", "arguments": {"peak": 3.0, "share": 0.5}}, 25, 2.0),
        ({"name": "reduce_on_plateau"}, 70, 1.0),
        ({"name": "constant", "warmupSteps": 20}, 0, 0.05),
        ({"name": "constant", "warmupSteps": 20}, 19, 1.0),
        ({"name": "constant", "warmupSteps": 20}, 60, 1.0),
        ({"name": "cosine", "warmupSteps": 20}, 9, 0.5),
        ({"name": "cosine", "warmupSteps": 20}, 60, 0.5),
        ({"name": "cosine", "warmupSteps": 20}, 100, 0.0),
    ],
)
def test_the_rate_of_a_step(schedule: dict[str, Any], step: int, expected: float) -> None:
    assert rate(schedule, step) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("step", "expected"), [(30, 0.5), (31, 0.25), (60, 0.25), (61, 0.125)])
def test_the_rate_falls_after_each_boundary(step: int, expected: float) -> None:
    arguments = {"boundaries": [30, 60], "values": [0.5, 0.25, 0.125]}
    assert rate({"name": "piecewise", "arguments": arguments}, step) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"name": "cosine", "arguments": {"rate": 1}}, "has no argument rate .*alpha"),
        ({"arguments": {"rate": 1}}, "constant takes none"),
        ({"name": "cosine", "arguments": {"decay_steps": "x"}}, "decay_steps: .*a number, not 'x'"),
        ({"name": "cosine", "arguments": {"values": [1]}}, "values: is of piecewise"),
        ({"name": "piecewise"}, r"needs boundaries .*values: \[0\.1, 0\.01"),
        (
            {"name": "piecewise", "arguments": {"boundaries": [10], "values": [1.0]}},
            "1 boundaries part 2 values, and there are 1",
        ),
        (
            {"name": "piecewise", "arguments": {"boundaries": [20, 10], "values": [1, 0.5, 0.1]}},
            r"must grow, and are \[20, 10\]",
        ),
        ({"name": "reduce_on_plateau", "arguments": {"factor": 2}}, "factor must be between 0"),
        ({"name": "reduce_on_plateau", "warmupSteps": 5}, "warmupSteps: .*no warm-up"),
        ({"name": "cosine", "arguments": {"decay_steps": 200}}, "to step 200, .*has 100 steps"),
        ({"name": "cosine", "warmupSteps": 101}, "warmupSteps: reaches to step 101"),
        (
            {"name": "piecewise", "arguments": {"boundaries": [500], "values": [1, 0.1]}},
            "boundaries: reaches to step 500, and the training has 100",
        ),
    ],
)
def test_what_makes_no_schedule_is_refused_with_the_cure(
    schedule: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidSpec, match=rf"spec\.training\.schedule\.{'.*'}{said}"):
        optimizers.check(training(schedule), steps=STEPS)


def test_the_rate_is_made_smaller_after_epochs_without_a_smaller_loss() -> None:
    rule, waiting, reduced = ReduceOnPlateau(1.0, patience=2), Waiting(), []
    for loss in (0.9, 0.8, 0.8, 0.85, 0.8, math.nan, 0.7):
        waiting = rule.after(waiting, loss)
        reduced.append(rule.is_due(waiting))
    assert reduced == [False, False, False, True, False, True, False]
    assert rule.smaller(1.0) == 0.5
    assert ReduceOnPlateau(1.0, minimum=0.8).smaller(1.0) == 0.8


def test_a_restart_goes_on_with_the_rate_that_a_plateau_has_brought(tmp_path: Path) -> None:
    """A rate so large that validation gets worse soon."""
    schedule = {"name": "reduce_on_plateau", "arguments": {"patience": 1}}
    spec = FAMILIES["dense"].spec(
        tmp_path,
        epochs=12,
        optimizer={"name": "sgd", "learningRate": 2.0},
        schedule=schedule,
    )
    work = Work.of(spec)
    straight = fit(work.fitting(), Gang.alone(), Surroundings.none())
    folder = folder_of(tmp_path)
    assert not fit(work.fitting(), Gang.alone(), stopping(folder, calls=20)).finished
    resumed = fit(work.fitting(), Gang.alone(), stopping(folder, calls=100))

    assert 0 < resumed.resumed_from < straight.steps
    for after, expected in zip(
        resumed.model.get_weights(), straight.model.get_weights(), strict=True
    ):
        assert (after == expected).all()
