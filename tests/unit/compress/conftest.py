"""A small model that has learned scikit-learn's digits, as the training stage leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from trainyard_api.digests import artifact_sha256
from trainyard_api.spec import Data, Training
from trainyard_api.spec.data import Source
from trainyard_trainer.compress.measure import HeldOut
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.prepared import of_dataset


@dataclass(frozen=True)
class Trained:
    """A SavedModel and what it has learned from."""

    folder: Path
    sha256: str
    dataset: Dataset
    data: Data

    @property
    def held_out(self) -> HeldOut:
        """The test part."""
        return HeldOut.of(of_dataset(self.dataset, seed=0), Training(), self.folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained once for all tests; some 96 % accurate."""
    data = Data(source=Source(uri="sklearn://digits"))
    dataset = load(data, {})
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(dataset.shape, name="features"),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(dataset.schema.target.outputs, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(
        dataset.train.features().astype(np.float32), dataset.train.targets, epochs=8, verbose=0
    )
    folder = tmp_path_factory.mktemp("run") / "saved_model"
    model.export(folder, format="tf_saved_model", verbose=False)
    return Trained(folder, artifact_sha256(folder), dataset, data)
