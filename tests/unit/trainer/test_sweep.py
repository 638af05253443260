"""`learningRate: auto`: what a sweep over learning rates finds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.unit.trainer.families import FAMILIES, Work
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Store
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.sweep import found_rate, range_test


def losses(lowest_at: float, *, steep_from: float) -> list[float]:
    """Flat, then downhill from a rate on, and up again beyond the lowest."""
    made = []
    for rate in range_test.rates():
        down = max(0.0, math.log10(rate / steep_from))
        up = max(0.0, math.log10(rate / lowest_at))
        made.append(2.3 - 0.4 * down + 3.0 * up)
    return made


def test_rates_rise_by_the_same_factor() -> None:
    rates = range_test.rates()
    assert (rates[0], rates[-1]) == pytest.approx((range_test.LOWEST, range_test.HIGHEST))
    np.testing.assert_allclose(np.diff(np.log(rates)), np.log(rates[1] / rates[0]))


@pytest.mark.parametrize("lowest", [1e-3, 0.1, 1.0])
def test_the_rate_is_a_tenth_of_the_one_with_the_lowest_loss(lowest: float) -> None:
    chosen = range_test.choose(losses(lowest, steep_from=lowest / 1e3))
    assert chosen is not None
    assert 0.5 < chosen / (lowest / 10.0) < 1.5
    assert chosen == float(f"{chosen:.2g}")


def test_nothing_is_chosen_where_the_loss_goes_down_nowhere() -> None:
    assert range_test.choose([1.0 + 0.01 * step for step in range(50)]) is None
    assert range_test.choose([]) is None
    assert range_test.choose([math.nan] * 50) is None


def test_a_sweep_ends_where_the_loss_is_lost() -> None:
    down = [2.0 - 0.05 * step for step in range(30)]
    assert not range_test.is_over(down)
    assert range_test.is_over([*down, math.nan])
    assert range_test.is_over([*down, *([50.0] * 3)])


def work(folder: Path, **training: int) -> Work:
    optimizer = {"name": "adam", "learningRate": "auto"}
    return Work.of(FAMILIES["dense"].spec(folder, optimizer=optimizer, **training))


def test_a_rate_is_found_and_kept_for_a_restart(tmp_path: Path) -> None:
    store = Store.open(f"file://{tmp_path}/store", {}, "train", 1)
    fitting = work(tmp_path).fitting()
    found = found_rate(fitting, Gang.alone(), store, Tracker())

    rate = found.training.optimizer.learningRate
    assert isinstance(rate, float)
    assert 1e-4 <= rate <= range_test.HIGHEST / 10.0
    assert f"learning rate {rate:g}, found by a sweep" in found.note
    kept = json.loads((tmp_path / "store" / "model" / "learning-rate.json").read_text())
    assert kept["learningRate"] == rate
    assert len(kept["curve"]) > 30
    assert (
        min(point["loss"] for point in kept["curve"] if point["loss"]) < (kept["curve"][0]["loss"])
    )

    kept["learningRate"] = 0.0123
    (tmp_path / "store" / "model" / "learning-rate.json").write_text(json.dumps(kept))
    again = found_rate(fitting, Gang.alone(), store, Tracker())
    assert again.training.optimizer.learningRate == 0.0123


def test_where_no_rate_helps_the_spec_has_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_test, "LOWEST", 1e-12)
    monkeypatch.setattr(range_test, "HIGHEST", 1e-11)
    with pytest.raises(InvalidSpec, match="learningRate: auto has found no rate from 1e-12"):
        # All rows in every batch: no loss is smaller by chance.
        found_rate(work(tmp_path, batchSize=256).fitting(), Gang.alone(), None, Tracker())
