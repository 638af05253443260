"""A small job for each family of models: what it is, and data that it can learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.unit.trainer import own_model
from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.fit import Fitting
from trainyard_trainer.training.supervised import supervised

ROWS: Final = 160
_WORDS: Final = {0: "good fine great nice", 1: "bad poor awful sad"}
_FILLING: Final = ["the", "film", "was", "a", "long", "one", "with", "some", "people", "in", "it"]


@dataclass(frozen=True)
class Family:
    """A kind of model, and rows that it takes.

    Attributes:
        model: `spec.model`.
        data: writes rows into a folder, and gives `spec.data`.
        normalizes: whether it can have batch normalisation.
        regularized: whether Trainyard makes its layers, and with them dropout and penalties.
        guess: the loss of who knows nothing of a row.
    """

    model: dict[str, Any]
    data: Callable[[Path], dict[str, Any]]
    normalizes: bool = False
    guess: float = math.log(2.0)
    regularized: bool = True

    def spec(self, folder: Path, **training: Any) -> dict[str, Any]:
        """Of a job over rows in `folder`."""
        return {
            "data": self.data(folder),
            "model": self.model,
            "training": {"epochs": 3, "batchSize": 32, "stepsPerExecution": 2} | training,
        }


@dataclass(frozen=True)
class Work:
    """A job that was read."""

    spec: TrainingJobSpec
    dataset: Dataset

    @classmethod
    def of(cls, spec: dict[str, Any]) -> Work:
        """With the rows that the spec names."""
        parsed = TrainingJobSpec.model_validate(spec)
        return cls(parsed, load(parsed.data, {}))

    def fitting(self) -> Fitting:
        """What the training stage fits."""
        train = self.dataset.train
        task = task_of(self.dataset.schema.target, self.spec.training, train.targets)
        return supervised(self.spec, self.dataset, task, train)


def _pictures(folder: Path) -> dict[str, Any]:
    """A bright bar, upright or flat."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, ROWS)
    pictures = random.integers(0, 60, (ROWS, 8, 8)).astype(np.uint8)
    for picture, flat, place in zip(pictures, labels, random.integers(1, 6, ROWS), strict=True):
        (picture if flat else picture.T)[place : place + 2] = 220
    np.savez(folder / "pictures.npz", x=pictures, y=labels)
    return {"source": {"uri": f"file://{folder}/pictures.npz"}}


def _texts(folder: Path) -> dict[str, Any]:
    """Texts of all lengths with one telling word, beside a number that tells as well."""
    random = np.random.default_rng(0)
    lines = ["text,age,liked"]
    for row in range(ROWS):
        label = int(random.integers(0, 2))
        words = [
            *random.choice(_FILLING, random.integers(0, 9)),
            random.choice(_WORDS[label].split()),
        ]
        random.shuffle(words)
        lines.append(
            f"{'' if row % 40 == 0 else ' '.join(words)},{label + random.normal():.3f},{label}"
        )
    (folder / "texts.csv").write_text("\n".join(lines) + "\n")
    source = {"uri": f"file://{folder}/texts.csv", "label": "liked", "columns": {"text": "text"}}
    return {"source": source, "preprocessing": {"text": {"length": 8}}}


def _numbers(folder: Path) -> dict[str, Any]:
    """Two numbers, and what follows from them."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, 2))
    told = np.stack([rows[:, 0] - 2.0 * rows[:, 1], rows[:, 0] * rows[:, 1]], axis=1)
    np.savez(folder / "numbers.npz", x=rows, y=told)
    return {"source": {"uri": f"file://{folder}/numbers.npz"}}


def _labelled(folder: Path) -> dict[str, Any]:
    """Three labels, each of which a number tells."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, 3))
    np.savez(folder / "labels.npz", x=rows, y=(rows > 0.3).astype(np.int64))
    return {"source": {"uri": f"file://{folder}/labels.npz"}}


def _series(folder: Path) -> dict[str, Any]:
    """A wave beside the weather, of which the wave's next step follows."""
    random = np.random.default_rng(0)
    steps = np.arange(ROWS + 8)
    wave = 2.0 + np.sin(steps / 3.0) + random.normal(0.0, 0.05, len(steps))
    weather = random.choice(["dry", "wet"], len(steps))
    lines = [f"{each:.3f},{sky}" for each, sky in zip(wave, weather, strict=True)]
    (folder / "series.csv").write_text("\n".join(["wave,weather", *lines]) + "\n")
    source = {"uri": f"file://{folder}/series.csv", "label": "wave"}
    return {"source": source, "window": {"length": 6}}


def _rnn(data: Callable[[Path], dict[str, Any]], **rnn: Any) -> Family:
    return Family({"architecture": "rnn", "rnn": {"units": [8]} | rnn}, data)


FAMILIES: Final = {
    "dense": Family({"architecture": "dense", "dense": {"units": [16]}}, _pictures, True),
    "cnn": Family(
        {"architecture": "cnn", "cnn": {"filters": [4, 4], "units": [8]}}, _pictures, True
    ),
    "regression": Family({"architecture": "dense", "dense": {"units": [16]}}, _numbers, True, 1.0),
    "labels": Family({"architecture": "dense", "dense": {"units": [16]}}, _labelled, True),
    "residual": Family(
        {
            "architecture": "cnn",
            "cnn": {"filters": [4, 4, 6], "residual": True, "globalPooling": True, "units": [8]},
        },
        _pictures,
        True,
    ),
    "dense of windows": Family(
        {"architecture": "dense", "dense": {"units": [16]}}, _series, True, 1.0
    ),
    "lstm of windows": replace(_rnn(_series), guess=1.0),
    "lstm of pictures": _rnn(_pictures),
    "two gru both ways": _rnn(_pictures, cell="gru", units=[8, 6], bidirectional=True),
    "simple": _rnn(_pictures, cell="simple"),
    "lstm of texts": _rnn(_texts, embedding=5, denseUnits=[8]),
    "gru of texts": _rnn(_texts, cell="gru", units=[8, 8], bidirectional=True),
    "custom": Family(
        {
            "architecture": "custom",
            "custom": {
                "entrypoint": f"{own_model.__name__}:{own_model.build_model.__name__}",
                "arguments": {"width": 8},
            },
        },
        _pictures,
        regularized=False,
    ),
    "simple of texts": _rnn(_texts, cell="simple"),
}
