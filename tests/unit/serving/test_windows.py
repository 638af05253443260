"""Windows are answered alike by the model, its SavedModel on raw rows, and over the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.unit.serving.test_raw_signature import Trained, trained
from trainyard_api.encoding import encoder_of
from trainyard_api.example import example_of
from trainyard_api.spec import Data
from trainyard_serving.refusals import Refusal
from trainyard_trainer.data import load

STEPS = 60
LENGTH = 4


@pytest.fixture(scope="module")
def forecast(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("forecast")
    lines = ["when,heat,tons,sky", *(",".join(map(str, row.values())) for row in steps())]
    (folder / "weather.csv").write_text("\n".join(lines) + "\n")
    spec = {
        "source": {"uri": f"file://{folder}/weather.csv", "label": "heat"},
        "split": {"time": "when"},
        "window": {"length": LENGTH, "horizon": 2},
        "cleaning": {"missing": {"strategy": "median"}},
    }
    return trained(load(Data.model_validate(spec), {}), folder)


def steps() -> list[dict[str, Any]]:
    """Tons of air are so many that float32 alone would lose the digits in which they differ."""
    random = np.random.default_rng(1)
    return [
        {
            "when": f"2024-{1 + at // 28:02}-{1 + at % 28:02}",
            "heat": float(random.normal(12.0, 6.0)),
            "tons": 900_000_000.5 + float(random.normal()),
            "sky": "" if at % 9 == 4 else ("clear", "grey", "dark")[at % 3],
        }
        for at in range(STEPS)
    ]


def windows() -> list[list[dict[str, Any]]]:
    seen = [row | {"sky": row["sky"] or None} for row in steps()]
    for step in seen:
        del step["when"]
    return [seen[first : first + LENGTH] for first in range(STEPS - LENGTH - 1)]


def test_windows_are_answered_alike_in_all_forms(forecast: Trained) -> None:
    rows = forecast.data.train.source.take(np.arange(len(windows()), dtype=np.int64))
    expected = forecast.model(rows).numpy()
    assert np.ptp(expected) > 0.1
    signature = tf.saved_model.load(str(forecast.folder)).signatures["serving_raw"]
    cells = {
        "heat": tf.constant([[step["heat"] for step in row] for row in windows()], tf.float64),
        "tons": tf.constant([[step["tons"] for step in row] for row in windows()], tf.float64),
        "sky": tf.constant([[step["sky"] or "" for step in row] for row in windows()]),
    }
    assert signature.structured_input_signature[1]["heat"].shape == (None, LENGTH)
    (raw,) = signature(**cells).values()
    lists = [[list(step.values()) for step in row] for row in windows()]
    for answers in (raw.numpy(), forecast.answers(windows()), forecast.answers(lists)):
        np.testing.assert_allclose(answers, expected, rtol=1e-6)


def test_the_contract_tells_what_a_window_is(forecast: Trained) -> None:
    contract = forecast.served.model.contract
    assert contract is not None
    assert contract.input.shape == [LENGTH, 3]
    assert (contract.input.steps, contract.output.horizon) == (LENGTH, 2)
    assert [column.name for column in contract.input.columns] == ["heat", "tons", "sky"]
    encoder = encoder_of(contract.input)
    assert encoder is not None
    example = example_of(contract.input)
    assert np.shape(encoder.encode(example)) == (LENGTH, 3)
    assert np.shape(forecast.answers([example])) == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row[1:], r"instances\[0\]: the row has 3 steps, .* takes 4, the oldest first"),
        (lambda row: row[0], r"a row is a list of 4 steps, the oldest first, not \{'heat'"),
        (
            lambda row: [*row[:3], {"heat": 1.0, "tons": 1.0}],
            "step 3: the row lacks the column sky",
        ),
        (
            lambda row: [{"heat": "hot", "tons": 1.0, "sky": None}, *row[1:]],
            "step 0: column heat: 'hot' is no",
        ),
    ],
)
def test_what_is_no_window_is_refused_with_the_cure(
    forecast: Trained, change: Any, message: str
) -> None:
    with pytest.raises(Refusal, match=message):
        forecast.answers([change(windows()[0])])
