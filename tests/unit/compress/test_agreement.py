"""How candidates are judged where rows are rebuilt: by the original."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.unit.compress.conftest import Trained
from trainyard_api.spec import Training
from trainyard_trainer.compress.measure import HeldOut, measure_saved_model
from trainyard_trainer.data.prepared import of_dataset
from trainyard_trainer.data.target import Rebuilding


def test_the_original_agrees_with_itself_and_others_less(trained: Trained) -> None:
    prepared = replace(of_dataset(trained.dataset, seed=0), target=Rebuilding())
    held_out = HeldOut.of(prepared, Training(), trained.folder)

    assert held_out.judge.main_metric == "agreement"
    assert held_out.judge.outputs == trained.dataset.schema.target.outputs
    assert measure_saved_model(trained.folder, held_out).accuracy == 1.0
    guessed = np.full((len(held_out.part), held_out.judge.outputs), 0.1, np.float32)
    assert held_out.score(guessed) < 0.1
