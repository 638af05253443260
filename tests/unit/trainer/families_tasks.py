"""Jobs of every task beside one class a row, small enough to be trained in a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer import export
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.tasks import Task, task_for
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.supervised import supervised

LABELS = ("even", "prime", "loop")
"""What a digit may be, several of them at once: 9 is none but a loop, 1 is none at all."""
_EVEN, _PRIME, _LOOP = (0, 2, 4, 6, 8), (2, 3, 5, 7), (0, 6, 8, 9)

DIGITS: Mapping[str, Any] = {
    "source": {"uri": "sklearn://digits"},
    "preprocessing": {"scaling": "minmax"},
}
CANCER: Mapping[str, Any] = {"source": {"uri": "sklearn://breast_cancer"}}


@dataclass(frozen=True)
class Family:
    """A job.

    Attributes:
        data, model: of the spec. The data `labels` is the archive of `write_labels`, and `table`
            the table of `write_table`.
    """

    name: str
    data: Mapping[str, Any] | str
    model: Mapping[str, Any]

    def spec(self, folder: Path, **training: Any) -> TrainingJobSpec:
        """Its spec; files that it needs are written into `folder`."""
        data: Mapping[str, Any]
        if self.data == "labels":
            data = {"source": {"uri": f"file://{write_labels(folder / 'labels.npz')}"}}
        elif isinstance(self.data, str):
            uri = f"file://{write_table(folder / 'table.csv')}"
            data = {"source": {"uri": uri}, "task": "reconstruction"}
        else:
            data = self.data
        return TrainingJobSpec.model_validate(
            {
                "data": dict(data),
                "model": dict(self.model),
                "training": {
                    "epochs": 2,
                    "batchSize": 64,
                    "optimizer": {"name": "adam", "learningRate": 0.003},
                }
                | training,
            }
        )


REBUILD = {"task": "reconstruction"}
VAE = {"architecture": "vae", "vae": {"units": [32], "latentDimensions": 4}}
DENSE = {"architecture": "dense", "dense": {"units": [32, 6]}}
CNN = {"architecture": "cnn", "cnn": {"filters": [4, 8], "units": [16, 6]}}

FAMILIES = (
    Family("labels", "labels", {"architecture": "dense", "dense": {"units": [64]}}),
    Family("vae of pictures", DIGITS, VAE),
    Family(
        "dense autoencoder",
        {**DIGITS, **REBUILD},
        {**DENSE, "regularization": {"batchNormalization": True, "dropout": 0.1, "l2": 0.001}},
    ),
    Family("cnn autoencoder", {**DIGITS, **REBUILD}, CNN),
    Family("vae of a table", "table", VAE),
    Family("vae encoder", DIGITS, {**VAE, "output": "encoder"}),
    Family("vae decoder", DIGITS, {**VAE, "output": "decoder"}),
    Family("vae scores", CANCER, {**VAE, "output": "anomaly_score"}),
    Family(
        "dense scores of a table",
        "table",
        {"architecture": "dense", "dense": {"units": [3]}, "output": "anomaly_score"},
    ),
)


def labels_of_digits() -> NDArray[np.int64]:
    """0 or 1 for each of `LABELS`, (rows, labels)."""
    digit = datasets.load_digits().target
    return np.stack([np.isin(digit, each) for each in (_EVEN, _PRIME, _LOOP)], 1).astype(np.int64)


def write_labels(path: Path) -> Path:
    """Digits with several labels each."""
    np.savez(path, x=datasets.load_digits().images, y=labels_of_digits())
    return path


def write_table(path: Path, rows: int = 400) -> Path:
    """A table with numbers that follow from each other, categories, truth values and gaps."""
    random = np.random.default_rng(0)
    lines = ["height,weight,city,member"]
    for height in random.normal(170, 10, rows):
        city = ("Oslo", "Rome", "Lima")[int(height) % 3]
        weight = height - 100 + random.normal()
        lines.append(f"{height:.2f},{weight:.2f},{city},{'yes' if height > 170 else 'no'}")
    path.write_text("\n".join(lines))
    return path


@dataclass(frozen=True)
class Job:
    """A job that was read, and what is learned of its rows."""

    spec: TrainingJobSpec
    dataset: Dataset
    task: Task

    @classmethod
    def of(cls, spec: TrainingJobSpec) -> Job:
        """The job of a spec."""
        dataset = load(spec.learned_data, {})
        return cls(spec, dataset, task_for(spec, dataset.schema, dataset.train.targets))

    @property
    def fitting(self) -> Fitting:
        """What is fitted."""
        return supervised(self.spec, self.dataset, self.task, self.dataset.train)

    def fitted(self) -> Fitted:
        """The trained model."""
        return fit(self.fitting, Gang.alone(), Surroundings.none())

    def exported(self, fitted: Fitted) -> export.Exported:
        """What of it is exported."""
        return export.exported(fitted.model, self.task, self.dataset.schema)
