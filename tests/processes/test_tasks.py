"""Tasks beside one class a row, trained for real by one worker and by two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.processes.test_training import Start, gang
from tests.unit.trainer.families_tasks import CANCER, DIGITS, LABELS, write_labels
from trainyard_api.contract import Contract

__all__ = ["gang"]

pytestmark = pytest.mark.processes


def spec(data: Any, model: Any, replicas: int, epochs: int) -> dict[str, Any]:
    return {
        "data": dict(data),
        "model": dict(model),
        "training": {"epochs": epochs, "optimizer": {"learningRate": 0.003}},
        "workers": {"replicas": replicas},
    }


def alike(gang: Start, data: Any, model: Any) -> Any:
    """The training of two workers, which learned what one does."""
    one = gang(spec(data, model, 1, 4), name="one")
    two = gang(spec(data, model, 2, 4), name="two")
    assert (one.codes(), two.codes()) == ([0], [0, 0]), two.log()
    assert two.result().metrics == pytest.approx(one.result().metrics, abs=0.01)
    for alone, together in zip(one.weights(), two.weights(), strict=True):
        np.testing.assert_allclose(together, alone, atol=2e-3)
    return two


def contract(trained: Any) -> Contract:
    return Contract.model_validate_json((trained.store() / "prepared/contract.json").read_text())


def test_two_workers_learn_the_labels_that_one_does(gang: Start, tmp_path: Path) -> None:
    data = {"source": {"uri": f"file://{write_labels(tmp_path / 'labels.npz')}"}}
    trained = alike(gang, data, {"architecture": "dense", "dense": {"units": [64]}})

    told = trained.result().data
    assert (told.task, told.targetCount) == ("multi_label", len(LABELS))
    assert set(trained.result().metrics) >= {"accuracy", "hamming_loss", "f1", "f1_micro"}
    assert (contract(trained).output.threshold, contract(trained).output.names) == (
        0.5,
        ["0", "1", "2"],
    )


def test_two_workers_rebuild_rows_as_one_does(gang: Start) -> None:
    model = {"architecture": "dense", "dense": {"units": [64, 8]}}
    trained = alike(gang, {**DIGITS, "task": "reconstruction"}, model)

    assert set(trained.result().metrics) == {"reconstruction_error", "r2"}
    assert contract(trained).output.answers == "reconstruction"


def test_two_workers_of_a_vae_tell_anomalies(gang: Start) -> None:
    model = {"architecture": "vae", "vae": {"units": [32]}, "output": "anomaly_score"}
    trained = gang(spec(CANCER, model, 2, 60))

    assert trained.codes() == [0, 0], trained.log()
    assert trained.result().metrics["roc_auc"] > 0.85
    assert contract(trained).output.threshold is not None
