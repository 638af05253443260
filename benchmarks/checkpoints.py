"""What a checkpoint costs the steps: `python -m benchmarks.checkpoints`.

Trains a dense model on random rows and saves its state every `--every` steps, in turn not at all,
in the loop itself, and beside it. Prints one line of JSON, medians over `--rounds`: `stood` is the
share of the time in which the loop waits for a checkpoint, `share` all that it costs, also the
processors that the writing takes from the steps; the latter needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainyard_api.spec import Training as Spec
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.target import Classes
from trainyard_trainer.store import Store
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.checkpoints.writing import Writer
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.feed import Feed
from trainyard_trainer.training.fit.graph import Trainer
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

ROWS, COLUMNS, CLASSES, BATCH = 4096, 784, 10, 128


@dataclass(frozen=True)
class Times:
    """Seconds of a training, and those of them in which its loop stood still for a checkpoint."""

    whole: float
    stood: float


class Training:
    """A model of some 50 MB that learns nothing of use."""

    def __init__(self, optimizer: str, width: int) -> None:
        self._gang = Gang.alone()
        layers = [
            keras.Input((COLUMNS,)),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(CLASSES, "softmax"),
        ]
        self.model = keras.Sequential(layers)
        made = keras.optimizers.get({"class_name": optimizer, "config": {}})
        made.build(self.model.trainable_variables)
        generator = np.random.default_rng(0)
        features = generator.random((ROWS, COLUMNS), np.float32)
        targets = generator.integers(0, CLASSES, ROWS)
        task = task_of(Classes(tuple(map(str, range(CLASSES)))), Spec(), targets)
        objective = Supervised(task)
        self.state = State(self.model, made)
        self._feed = Feed(self._gang, whole(Resident(features), targets), task.row_weights)
        self._trainer = Trainer(self._gang, self.model, made, objective, self._feed, 0)
        self._batches = Batches(ROWS, BATCH, self._gang.replicas, 0).of_epoch(0)

    def train(self, steps: int, every: int, save: Callable[[Snapshot], None] | None) -> Times:
        """Times of `steps` steps with a checkpoint after each `every`; without `save`, those of
        the steps alone."""
        begun, stood = time.monotonic(), 0.0
        for first in range(0, steps, every):
            self._trainer.run(self._feed.take(self._batches.cut(0, every)), first, False, 0.0)
            self.state.step = first + every
            if save is not None:
                reached = time.monotonic()
                save(self.state.snapshot())
                stood += time.monotonic() - reached
        return Times(time.monotonic() - begun, stood)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The figures, as they are printed."""
    training = Training(options.optimizer, options.width)
    seconds: dict[str, list[Times]] = {"without": [], "in_the_loop": [], "beside": []}
    steps = options.every * options.saves
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        store = Store.open(f"file://{folder}", {}, "train", 1)

        def write(snapshot: Snapshot) -> None:
            checkpoints.save(store.checkpoints, snapshot, 2)

        training.train(options.every, options.every, write)
        for _ in range(options.rounds):
            seconds["without"].append(training.train(steps, options.every, None))
            seconds["in_the_loop"].append(training.train(steps, options.every, write))
            with Writer(write) as writer:
                seconds["beside"].append(training.train(steps, options.every, writer.save))
        size = max(path.stat().st_size for path in Path(folder, "checkpoints").iterdir())
    took = {name: statistics.median(t.whole for t in each) for name, each in seconds.items()}
    stood = {n: statistics.median(t.stood / t.whole for t in each) for n, each in seconds.items()}
    return {
        "benchmark": "checkpoints",
        "model_megabytes": round(training.model.count_params() * 4 / 1e6, 1),
        "checkpoint_megabytes": round(size / 1e6, 1),
        "every_steps": options.every,
        "step_seconds": round(took["without"] / steps, 4),
        "stood_in_the_loop": round(stood["in_the_loop"], 4),
        "stood_beside": round(stood["beside"], 4),
        "share_in_the_loop": round(1 - took["without"] / took["in_the_loop"], 4),
        "share_beside": round(1 - took["without"] / took["beside"], 4),
        "cpus": os.cpu_count(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=3000, help="of the two hidden layers")
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--every", type=int, default=20, help="steps between checkpoints")
    parser.add_argument("--saves", type=int, default=4, help="checkpoints a measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where checkpoints are written; default: that of tempfile")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
