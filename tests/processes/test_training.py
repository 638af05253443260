"""Training for real: worker processes with TF_CONFIG on loopback, as the operator starts them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.ipv6 import needs_ipv6
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import TerminationMessage, TrainResult, parse_termination_message

pytestmark = pytest.mark.processes

PATIENCE_SECONDS = 60
ENDLESS = 100_000
# Several workers share this machine: threads of each for every core would only wait.
SINGLE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def digits(*, epochs: int, replicas: int, **training: Any) -> dict[str, Any]:
    """A spec: 12 steps an epoch."""
    return {
        "data": {"source": {"uri": "sklearn://digits"}, "preprocessing": {"scaling": "standard"}},
        "model": {
            "architecture": "dense",
            "dense": {"units": [32]},
            "regularization": {
                "batchNormalization": True,
                "synchronizedBatchNormalization": "always",
            },
        },
        "training": {"epochs": epochs, "checkpoint": {"everySteps": 50}} | training,
        "workers": {"replicas": replicas},
    }


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass
class Gang:
    """Worker processes of one attempt."""

    folder: Path
    spec: dict[str, Any]
    attempt: int = 1
    shared_disk: bool = True
    bucket: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    http: int = 0
    host: str = "127.0.0.1"
    ports: list[int] = field(default_factory=list)
    program: list[str] = field(default_factory=lambda: ["-m", "trainyard_trainer"])

    def start(self, indices: list[int] | None = None) -> Gang:
        replicas = self.spec["workers"]["replicas"]
        *self.ports, self.http = free_ports(replicas + 1)
        workers = [f"{self.host}:{port}" for port in self.ports]
        self.folder.mkdir(exist_ok=True)
        for index in indices if indices is not None else range(replicas):
            task = {"type": "worker", "index": index}
            environ = (
                os.environ
                | SINGLE_THREAD
                | {
                    "TRAINYARD_JOB": "digits",
                    "TRAINYARD_NAMESPACE": "tests",
                    "TRAINYARD_RUN": "1-5f3a9c",
                    "TRAINYARD_ATTEMPT": str(self.attempt),
                    "TRAINYARD_SPEC": json.dumps(self.spec),
                    "TRAINYARD_STORAGE": self.bucket or f"file://{self.store(index)}",
                    "TRAINYARD_TERMINATION_LOG": str(self.folder / f"termination-{index}"),
                    "TRAINYARD_HOST": "127.0.0.1",
                    "TRAINYARD_PORT": str(self.http),
                    **self.environ,
                }
            )
            if replicas > 1:
                config = {"cluster": {"worker": workers}, "task": task}
                environ["TF_CONFIG"] = json.dumps(config)
            with (self.folder / f"log-{self.attempt}-{index}").open("wb") as log:
                command = [sys.executable, *self.program, "train"]
                process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
            self.processes.append(process)
        return self

    def store(self, index: int = 0) -> Path:
        return self.folder / ("store" if self.shared_disk or index == 0 else f"scratch-{index}")

    def codes(self) -> list[int]:
        return [process.wait(PATIENCE_SECONDS) for process in self.processes]

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def message(self, index: int = 0) -> TerminationMessage:
        message = parse_termination_message((self.folder / f"termination-{index}").read_text())
        assert message is not None
        return message

    def result(self) -> TrainResult:
        result = self.message().train
        assert result is not None, self.log()
        return result

    def checkpoints(self) -> list[int]:
        found = self.store().glob("checkpoints/step-*.checkpoint")
        return sorted(int(path.stem.removeprefix("step-")) for path in found)

    def weights(self) -> list[np.ndarray[Any, Any]]:
        model = keras.models.load_model(self.store() / "model" / "model.keras")
        return [np.asarray(weight) for weight in model.get_weights()]

    def log(self, index: int = 0) -> str:
        return (self.folder / f"log-{self.attempt}-{index}").read_text()[-3000:]

    def progress(self) -> dict[str, Any]:
        try:
            url = f"http://127.0.0.1:{self.http}/progress"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.URLError:
            return {}

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert all(process.poll() is None for process in self.processes), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)


Start = Callable[..., Gang]


@pytest.fixture
def gang(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(spec: dict[str, Any], *, indices: list[int] | None = None, **more: Any) -> Gang:
            made = Gang(tmp_path / more.pop("name", "run"), spec, **more)
            stack.callback(made.stop)
            return made.start(indices)

        yield start


def test_two_workers_learn_what_one_does(gang: Start) -> None:
    rate = {"learningRate": 0.01}
    one = gang(digits(epochs=4, replicas=1, optimizer=rate), name="one")
    two = gang(digits(epochs=4, replicas=2, optimizer=rate), name="two")

    assert (one.codes(), two.codes()) == ([0], [0, 0]), two.log()
    assert two.result().metrics["accuracy"] > 0.8
    assert two.result().metrics == pytest.approx(one.result().metrics, abs=0.02)
    assert (two.result().epochs, two.result().steps) == (4, 48)
    for alone, together in zip(one.weights(), two.weights(), strict=True):
        np.testing.assert_allclose(together, alone, atol=2e-3)

    trained = two.result()
    again = gang(two.spec, name="two", attempt=2)
    assert again.codes() == [0, 0]
    assert again.result() == trained, "a run that has finished is reported, not trained again"


@pytest.mark.parametrize(
    "arguments", [{"clipnorm": 0.05}, {"global_clipnorm": 0.05, "gradient_accumulation_steps": 3}]
)
def test_updates_take_the_gradient_of_all_workers(gang: Start, arguments: dict[str, float]) -> None:
    sgd = {"name": "sgd", "learningRate": 0.5, "arguments": arguments}
    one = gang(digits(epochs=2, replicas=1, optimizer=sgd), name="one")
    two = gang(digits(epochs=2, replicas=2, optimizer=sgd), name="two")

    assert (one.codes(), two.codes()) == ([0], [0, 0]), two.log()
    for alone, together in zip(one.weights(), two.weights(), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-4)


@needs_ipv6
def test_two_workers_train_over_ipv6(gang: Start) -> None:
    trained = gang(digits(epochs=1, replicas=2), host="[::1]")
    assert trained.codes() == [0, 0], trained.log()


def test_killed_worker_ends_the_gang_and_a_restart_resumes_at_the_checkpoint(gang: Start) -> None:
    first = gang(digits(epochs=ENDLESS, replicas=2), shared_disk=False)
    first.wait_until(lambda: len(first.checkpoints()) == 2)
    first.processes[1].kill()
    killed = time.monotonic()

    assert first.codes() == [ExitCode.PEER_LOST, -signal.SIGKILL]
    assert time.monotonic() - killed < 15
    failure = first.message().failure
    assert failure is not None
    assert failure.reason == "PeerLost"
    saved = first.checkpoints()[-1]
    assert saved >= 100

    epochs = saved // 12 + 2
    second = gang(digits(epochs=epochs, replicas=2), shared_disk=False, attempt=2)
    assert second.codes() == [0, 0], second.log()
    assert second.result().resumedFromStep == saved
    assert second.result().steps == 12 * epochs
    assert not second.store(1).exists(), "the chief alone writes"


def test_sigterm_of_one_worker_saves_and_stops_all_at_one_step(gang: Start) -> None:
    first = gang(digits(epochs=ENDLESS, replicas=2))
    first.wait_until(lambda: first.progress().get("step", 0) > 30)
    first.processes[1].terminate()
    asked = time.monotonic()

    assert first.codes() == [ExitCode.SAVED, ExitCode.SAVED], first.log()
    assert time.monotonic() - asked < 10
    saved = first.checkpoints()[-1]

    second = gang(digits(epochs=saved // 12 + 1, replicas=2), attempt=2)
    assert second.codes() == [0, 0], second.log()
    assert second.result().resumedFromStep == saved


def test_resume_continues_at_the_exact_step(gang: Start) -> None:
    spec = digits(
        epochs=150,
        replicas=1,
        stepsPerExecution=1,
        schedule={"name": "cosine"},
        earlyStopping={"patience": 150},
    )
    spec["model"]["regularization"]["dropout"] = 0.3
    whole = gang(spec, name="whole")
    first = gang(spec, name="stopped")
    first.wait_until(lambda: bool(first.checkpoints()))
    first.processes[0].terminate()
    assert first.codes() == [ExitCode.SAVED]
    second = gang(spec, name="stopped", attempt=2)

    assert (second.codes(), whole.codes()) == ([0], [0]), second.log()
    assert 0 < second.result().resumedFromStep < 1800
    assert second.result().metrics == whole.result().metrics
    for resumed, uninterrupted in zip(second.weights(), whole.weights(), strict=True):
        np.testing.assert_allclose(resumed, uninterrupted, atol=1e-6)


def test_sigterm_while_waiting_for_the_others_is_heard_at_once(gang: Start) -> None:
    alone = gang(digits(epochs=1, replicas=2), indices=[0])
    alone.wait_until(lambda: "waiting" in alone.progress().get("message", ""))
    # Long enough for TensorFlow to wait inside its own code, where Python runs no handlers.
    time.sleep(2)
    alone.processes[0].terminate()

    assert alone.processes[0].wait(5) == ExitCode.SAVED


def test_worker_killed_when_all_are_sent_on_leaves_nobody_waiting(gang: Start) -> None:
    """It has agreed, and never enters TensorFlow, where the chief waits for it."""
    hurried = (
        "from trainyard_trainer.training.gang import gang; gang.START_SECONDS = 8.0; "
        "from trainyard_trainer.__main__ import _leave, main; _leave(main())"
    )
    alone = gang(digits(epochs=1, replicas=2), indices=[0], program=["-c", hurried])
    alone.wait_until(lambda: "waiting" in alone.progress().get("message", ""))
    address = ("127.0.0.1", alone.ports[0])
    with socket.create_connection(address, timeout=20) as lost, lost.makefile("rb") as heard:
        lost.sendall(b"trainyard tests/digits 1-5f3a9c 1 1\n")
        assert [heard.readline(), heard.readline()] == [b"wait\n", b"go 1\n"]
        lost.sendall(b"ok 1\n")
        assert heard.readline() == b"now\n"

    assert alone.codes() == [ExitCode.PEER_LOST], alone.log()
    assert "all 2 workers are there; should one vanish" in alone.log()


def test_early_stopping_and_plateaus_are_the_same_for_all_workers(gang: Start) -> None:
    spec = digits(
        epochs=ENDLESS,
        replicas=2,
        optimizer={"learningRate": 0.05},
        earlyStopping={"monitor": "val_accuracy", "patience": 3},
        schedule={
            "name": "reduce_on_plateau",
            "arguments": {"monitor": "val_accuracy", "patience": 1, "factor": 0.5},
            "warmupSteps": 12,
        },
    )
    stopped = gang(spec)

    assert stopped.codes() == [0, 0], stopped.log()
    assert stopped.result().stoppedEarly
    assert stopped.result().steps == 12 * stopped.result().epochs
    told = [re.findall(r"the learning rate is (\S+)", stopped.log(index)) for index in (0, 1)]
    assert told[0]
    assert told[0][-1] == told[1][-1], "reduced by both alike"


def test_two_workers_learn_from_flipped_and_mixed_rows(gang: Start) -> None:
    layers = [{"layer": "RandomFlip", "arguments": {"mode": "vertical"}}, {"layer": "MixUp"}]
    spec = digits(epochs=6, replicas=2, optimizer={"learningRate": 0.01}, stepsPerExecution=4)
    spec["data"]["augmentation"] = layers
    trained = gang(spec)

    assert trained.codes() == [0, 0], trained.log()
    assert trained.result().metrics["accuracy"] > 0.7
    told = trained.result().data
    assert told is not None
    assert told.notes[-1].endswith("RandomFlip, MixUp")


@pytest.mark.parametrize(
    ("change", "code", "reason", "said"),
    [
        (
            {"data": {"source": {"uri": "pvc://datasets/mnist"}}},
            ExitCode.INVALID,
            "InvalidData",
            "claim datasets",
        ),
        (
            {"model": {"architecture": "dense", "activation": "rellu"}},
            ExitCode.INVALID,
            "InvalidSpec",
            "spec.model.activation",
        ),
        (
            {"training": {"optimizer": {"name": "sgd", "learningRate": 1e30}}},
            ExitCode.DIVERGED,
            "Diverged",
            "learningRate",
        ),
    ],
)
def test_failure_is_reported_with_its_cure(
    gang: Start, change: dict[str, Any], code: ExitCode, reason: str, said: str
) -> None:
    failed = gang(digits(epochs=2, replicas=1) | change)

    assert failed.codes() == [code], failed.log()
    failure = failed.message().failure
    assert failure is not None
    assert failure.reason == reason
    assert said in failure.message


def test_a_layer_that_does_not_fit_into_memory_is_not_tried_again(
    gang: Start, tmp_path: Path
) -> None:
    images = np.zeros((40, 512, 512), np.uint8)
    np.savez_compressed(tmp_path / "large.npz", x=images, y=np.arange(40) % 2)
    data = {"source": {"uri": f"file://{tmp_path}/large.npz"}}
    # 4.5 PB, more than an address space holds: refused at once, on every machine.
    cnn = {"filters": [65_536], "pooling": "none", "units": [65_536]}
    model = {"architecture": "cnn", "cnn": cnn}
    failed = gang(digits(epochs=1, replicas=1) | {"data": data, "model": model})

    assert failed.codes() == [ExitCode.INVALID], failed.log()
    failure = failed.message().failure
    assert failure is not None
    assert failure.reason == "InvalidSpec"
    assert failure.message.startswith("spec.model: ")
    assert "OOM when allocating tensor" in failure.message
    assert "spec.workers.resources" in failure.message


def test_store_that_refuses_is_not_the_programs_fault(gang: Start, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "store").write_text("a file where the folder should be")
    failed = gang(digits(epochs=1, replicas=1))

    assert failed.codes() == [ExitCode.STORE_UNAVAILABLE], failed.log()
    failure = failed.message().failure
    assert failure is not None
    assert str(failed.store()) in failure.message
