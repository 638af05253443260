"""Measures the training loop against Keras' own `fit`, with one worker and with two.

    python benchmarks/training.py --data file:///PATH/fashion-mnist --model dense --rounds 3
    python benchmarks/training.py --data ... --model cnn --workers 2 --tf-keras FOLDER

Every variant trains the same model on the same rows with the same batches, each in processes of
its own, in turn, round after round: only what one run has seen is compared. One JSON line: for each
variant the median over rounds of the seconds of an epoch that is not the first, and of those from
the start of the process to its first step; and what the others take in multiples of ours.

With two workers the other is `fit` of tf_keras under MultiWorkerMirroredStrategy (that of Keras 3
cannot train under it). It is no part of the environment, since it would bring a second TensorFlow:
`pip install --no-deps --target FOLDER tf_keras`.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_WORKER: Final = "--variant"
_STARTED: Final = "TRAINYARD_BENCHMARK_STARTED"
_STEPS_A_CALL: Final = 100
MODELS: Final[dict[str, dict[str, Any]]] = {
    "dense": {"architecture": "dense", "dense": {"units": [128]}},
    "cnn": {
        "architecture": "cnn",
        "cnn": {"filters": [32, 64], "units": [128]},
        "regularization": {"dropout": 0.3, "batchNormalization": True},
    },
    "rnn": {"architecture": "rnn", "rnn": {"cell": "lstm", "units": [64]}},
}
ONE: Final = ("ours", "fit", f"fit at {_STEPS_A_CALL}")
TWO: Final = ("ours", "ours alone", "tf_keras", f"tf_keras at {_STEPS_A_CALL}")


@dataclass(frozen=True)
class Task:
    """What every variant does.

    Attributes:
        index: of this worker.
    """

    data: str
    model: str
    batch: int
    epochs: int
    rows: int | None
    addresses: tuple[str, ...]
    index: int
    synchronized: str


class Clock:
    """When the first step was done, and when each epoch ended."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._ends: list[float] = []

    def stepped(self) -> None:
        """A step is done."""
        if self._first is None:
            self._first = time.time()

    def ended(self) -> None:
        """An epoch is done."""
        self._ends.append(time.monotonic())

    def told(self) -> dict[str, Any]:
        """For the line that a worker prints."""
        assert self._first is not None, "no step was made"
        lasted = [after - before for before, after in zip(self._ends, self._ends[1:], strict=False)]
        return {"epochs": lasted, "first_step": self._first - float(os.environ[_STARTED])}


def ours(task: Task) -> dict[str, Any]:
    """Trainyard's own loop."""
    from trainyard_api.spec import Data, TrainingJobSpec
    from trainyard_api.status import Progress
    from trainyard_trainer.data import load
    from trainyard_trainer.pod import Pod
    from trainyard_trainer.processors import own_cpus, tell_tensorflow, usable_cpus
    from trainyard_trainer.progress import Speed, Tracker
    from trainyard_trainer.starting import import_keras, meanwhile
    from trainyard_trainer.tasks import task_of
    from trainyard_trainer.training.fit import Surroundings, fit
    from trainyard_trainer.training.fit.loop import Outside
    from trainyard_trainer.training.gang import Gang
    from trainyard_trainer.training.supervised import supervised

    clock = Clock()

    class Timed(Tracker):
        def report(self, progress: Progress, speed: Speed | None = None) -> None:
            super().report(progress, speed)
            if progress.step:
                clock.stepped()
                if progress.steps and progress.step % (progress.steps // task.epochs) == 0:
                    clock.ended()

    spec = TrainingJobSpec.model_validate(_spec(task))
    environ = {"TRAINYARD_JOB": "benchmark", "TRAINYARD_RUN": "1-000000"}
    environ |= {"TRAINYARD_STORAGE": "file:///nowhere", "TRAINYARD_SPEC": spec.model_dump_json()}
    if len(task.addresses) > 1:
        environ["TF_CONFIG"] = _tf_config(task)
    tell_tensorflow(os.environ, own_cpus(usable_cpus(), task.addresses, task.index))
    reading = meanwhile(lambda: load(Data.model_validate(_spec(task)["data"]), {}))
    import_keras(spec.data)
    dataset = reading()
    gang = Gang.assemble(Pod.from_environment(environ), lambda _: None)
    goal = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    train = dataset.train if task.rows is None else dataset.train.only(np.arange(task.rows))
    fitting = supervised(spec, dataset, goal, train)
    outside = Outside(lambda: False, None, lambda: None, None)
    fit(fitting, gang, Surroundings(Timed(), None, outside))
    gang.barrier()
    return clock.told()


def keras_fit(task: Task, steps: int) -> dict[str, Any]:
    """Keras 3's `fit` of the same model.

    Args:
        steps: of one call of the graph.
    """
    import keras

    from trainyard_api.spec import Model
    from trainyard_trainer import models
    from trainyard_trainer.data import load
    from trainyard_trainer.tasks import task_of

    spec = _parsed(task)
    dataset = load(spec.data, {})
    goal = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    scaling = models.scaling_for("standard", dataset.schema, dataset.moments)
    described = Model.model_validate(MODELS[task.model])
    features, labels = _rows(dataset, task)
    model = models.build(described, dataset.schema, goal, scaling)
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps,
    )
    clock = Clock()
    callback = _callback(keras.callbacks.Callback, clock)
    model.fit(
        features, labels, batch_size=task.batch, epochs=task.epochs, verbose=0, callbacks=[callback]
    )
    return clock.told()


def tf_keras_fit(task: Task, steps: int) -> dict[str, Any]:
    """`fit` of tf_keras under MultiWorkerMirroredStrategy."""
    os.environ["TF_CONFIG"] = _tf_config(task)
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    # Its name is no module's of the environment: see above.
    tf_keras: Any = __import__("tf_keras")

    from trainyard_trainer.data import load

    dataset = load(_parsed(task).data, {})
    features, labels = _rows(dataset, task)
    with strategy.scope():
        model = _tf_keras_model(tf_keras, task, dataset)
        model.compile(
            optimizer="adam",
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=steps,
        )
    clock = Clock()
    rows = tf.data.Dataset.from_tensor_slices((features, labels))
    batches = rows.shuffle(len(labels)).batch(task.batch, drop_remainder=True).repeat()
    model.fit(
        batches,
        steps_per_epoch=len(labels) // task.batch,
        epochs=task.epochs,
        verbose=0,
        callbacks=[_callback(tf_keras.callbacks.Callback, clock)],
    )
    return clock.told()


def _tf_keras_model(tf_keras: Any, task: Task, dataset: Any) -> Any:
    layers, spec = tf_keras.layers, _parsed(task).model
    moments = dataset.moments
    inputs = tf_keras.Input(dataset.schema.shape)
    last = layers.Rescaling(1.0, -float(moments.mean.mean()))(inputs)
    last = layers.Rescaling(1.0 / float(moments.spread.mean()))(last)

    def finish(tensor: Any, bias: bool, pool: bool = False) -> Any:
        if not bias:
            tensor = layers.BatchNormalization(synchronized=task.synchronized == "always")(tensor)
        tensor = layers.Activation("relu")(tensor)
        if pool:
            tensor = layers.MaxPooling2D(2)(tensor)
        return tensor if bias else layers.Dropout(spec.regularization.dropout)(tensor)

    bias = not spec.regularization.batchNormalization
    units = spec.dense.units
    if task.model == "cnn":
        units = spec.cnn.units
        for filters in spec.cnn.filters:
            convolution = layers.Conv2D(filters, 3, padding="same", use_bias=bias)
            last = finish(convolution(last), bias, pool=True)
    if task.model == "rnn":
        last = layers.Reshape(dataset.schema.shape[:2])(last)
        for width in spec.rnn.units:
            last = layers.LSTM(width)(last)
    else:
        last = layers.Flatten()(last)
        for width in units:
            last = finish(layers.Dense(width, use_bias=bias)(last), bias)
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax")(last))


def _callback(base: Any, clock: Clock) -> Any:
    class Timing(base):  # type: ignore[misc]
        def on_train_batch_end(self, *_: Any, **__: Any) -> None:
            clock.stepped()

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            clock.ended()

    return Timing()


def _rows(dataset: Any, task: Task) -> tuple[Any, Any]:
    train = dataset.train
    count = len(train) if task.rows is None else task.rows
    taken = train.take(np.arange(count))
    return taken.features, taken.targets


def _spec(task: Task) -> dict[str, Any]:
    model = dict(MODELS[task.model])
    if "regularization" in model:
        synchronized = {"synchronizedBatchNormalization": task.synchronized}
        model["regularization"] = {**model["regularization"], **synchronized}
    return {
        "data": {"source": {"uri": task.data}, "split": {"validation": 0.0}},
        "model": model,
        "training": {"epochs": task.epochs, "batchSize": task.batch},
        "workers": {"replicas": max(1, len(task.addresses))},
    }


def _parsed(task: Task) -> Any:
    from trainyard_api.spec import TrainingJobSpec

    return TrainingJobSpec.model_validate(_spec(task))


def _tf_config(task: Task) -> str:
    cluster = {"worker": list(task.addresses)}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": task.index}})


VARIANTS: Final[dict[str, Callable[[Task], dict[str, Any]]]] = {
    "ours": ours,
    "ours alone": ours,
    "fit": lambda task: keras_fit(task, 1),
    f"fit at {_STEPS_A_CALL}": lambda task: keras_fit(task, _STEPS_A_CALL),
    "tf_keras": lambda task: tf_keras_fit(task, 1),
    f"tf_keras at {_STEPS_A_CALL}": lambda task: tf_keras_fit(task, _STEPS_A_CALL),
}


def play(variant: str, options: argparse.Namespace) -> dict[str, float]:
    """One round of a variant: seconds of an epoch, and until the first step."""
    workers = options.workers if variant in TWO and variant != "ours alone" else 1
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    environ = dict(os.environ)
    if options.tf_keras:
        environ["PYTHONPATH"] = f"{environ.get('PYTHONPATH', '')}:{options.tf_keras}"
    environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    running = []
    for index in range(workers):
        environ[_STARTED] = str(time.time())
        task = {**vars(options), "addresses": addresses, "index": index}
        command = [sys.executable, __file__, _WORKER, variant, "--task", json.dumps(task)]
        command += ["--data", options.data]
        running.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True))
    told = []
    for process in running:
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{variant} ended with {process.returncode}")
        told.append(json.loads(said.splitlines()[-1]))
    return {
        "epoch": statistics.median(told[0]["epochs"]),
        "first_step": max(each["first_step"] for each in told),
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """All variants, in turn, round after round."""
    names = options.only or (ONE if options.workers == 1 else TWO)
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for turn in range(options.rounds):
        for name in names:
            seen[name].append(play(name, options))
            print(f"round {turn + 1}: {name}: {seen[name][-1]}", file=sys.stderr)
    epochs = {n: statistics.median(r["epoch"] for r in rounds) for n, rounds in seen.items()}
    starts = {n: statistics.median(r["first_step"] for r in rounds) for n, rounds in seen.items()}
    ours_of = "ours" if "ours" in epochs else next(iter(epochs))
    return {
        "benchmark": "training",
        "model": options.model,
        "workers": options.workers,
        "batch": options.batch,
        "rounds": options.rounds,
        "epoch_seconds": {name: round(value, 3) for name, value in epochs.items()},
        "first_step_seconds": {name: round(value, 2) for name, value in starts.items()},
        "times_ours": {name: round(v / epochs[ours_of], 2) for name, v in epochs.items()},
    }


def main() -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, metavar="URI", help="of pictures of ten classes")
    parser.add_argument("--model", choices=list(MODELS), default="dense")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=3, help="of which the first does not count")
    parser.add_argument("--rows", type=int, help="of the training part; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--synchronized", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), help="variants to measure")
    parser.add_argument("--tf-keras", metavar="FOLDER", help="that tf_keras was installed into")
    parser.add_argument(_WORKER, help=argparse.SUPPRESS)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.variant:
        del options.variant, options.task
        print(json.dumps(compare(options)))
        return
    given = json.loads(options.task)
    fields = {name: given[name] for name in Task.__dataclass_fields__}
    told = VARIANTS[options.variant](Task(**{**fields, "addresses": tuple(given["addresses"])}))
    print(json.dumps(told), flush=True)
    # TensorFlow's own farewell waits for workers that have left.
    os._exit(0)


if __name__ == "__main__":
    main()
