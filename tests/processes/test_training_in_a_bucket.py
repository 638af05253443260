"""Workers that share nothing but a bucket."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.object_store import KEY, SECRET, Server
from tests.processes.test_training import ENDLESS, Gang, digits
from trainyard_api.exit_codes import ExitCode
from trainyard_trainer.store import STORE, Location, Store

pytestmark = pytest.mark.processes


@pytest.fixture
def start(object_store: Server, tmp_path: Path) -> Iterator[Gang]:
    """A gang with a run's folder in a bucket of its own; it is not started yet."""
    uri = f"s3://{object_store.bucket()}/team/digits/1-5f3a9c"
    environ = object_store.environ()
    with ExitStack() as stack:
        made = Gang(tmp_path / "run", {}, bucket=uri, environ=environ)
        stack.callback(made.stop)
        yield made


def steps(gang: Gang) -> list[int]:
    """Steps of the checkpoints in the bucket."""
    files = Location.at(f"{gang.bucket}/checkpoints", gang.environ, STORE).files()
    return [int(entry.name.removeprefix("step-").partition(".")[0]) for entry in files]


def attempt(gang: Gang, number: int, *, epochs: int) -> Gang:
    """Start an attempt of a gang of two."""
    gang.stop()
    gang.processes.clear()
    gang.attempt, gang.spec = number, digits(epochs=epochs, replicas=2)
    return gang.start()


def test_killed_gang_resumes_at_the_exact_step_from_a_bucket_whose_server_died_meanwhile(
    object_store: Server, start: Gang
) -> None:
    first = attempt(start, 1, epochs=ENDLESS)
    first.wait_until(lambda: len(steps(first)) == 2)
    object_store.kill()
    object_store.start()
    seen = max(steps(first))
    first.wait_until(lambda: max(steps(first)) > seen)
    for process in first.processes:
        process.kill()
    assert first.codes() == [-signal.SIGKILL, -signal.SIGKILL]
    saved = max(steps(first))

    epochs = saved // 12 + 2
    second = attempt(first, 2, epochs=epochs)
    assert second.codes() == [0, 0], second.log()
    result = second.result()
    assert (result.resumedFromStep, result.steps) == (saved, 12 * epochs)
    assert not (second.folder / "store").exists(), "nothing was written on the disk"
    assert result.model.uri.startswith(f"{second.bucket}/model/saved_model/2-")
    assert result.keras is not None
    assert result.keras.uri == f"{second.bucket}/model/model.keras"
    store = Store.open(second.bucket, second.environ, "train", 3)
    store.saved_model.verify(result.model.sha256)
    store.keras_model.verify(result.keras.sha256)

    for log in second.folder.glob("log-*"):
        assert not {KEY, SECRET} & set(log.read_text().split())


def test_wrong_credentials_end_the_run_with_the_field(start: Gang) -> None:
    start.environ["AWS_SECRET_ACCESS_KEY"] = "a-wrong-secret"
    start.spec = digits(epochs=1, replicas=1)
    start.start()

    assert start.codes() == [ExitCode.INVALID], start.log()
    failure = start.message().failure
    assert failure is not None
    assert failure.reason == "InvalidSpec"
    assert "spec.storage.secretRef" in failure.message
    assert "a-wrong-secret" not in failure.message + start.log()
