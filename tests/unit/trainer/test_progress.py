"""Live progress over HTTP."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.ipv6 import needs_ipv6
from trainyard_api.listening import ALL_ADDRESSES
from trainyard_api.status import Progress
from trainyard_trainer.errors import ProgramFailed
from trainyard_trainer.progress import ProgressServer, Speed, Tracker
from trainyard_trainer.training.fit.reporting import Length, Reporter


@pytest.fixture
def tracker() -> Tracker:
    return Tracker()


@pytest.fixture
def server(tracker: Tracker) -> Iterator[ProgressServer]:
    server = ProgressServer(tracker, "127.0.0.1", 0, {"job": "digits", "run": "1-a"})
    yield server
    server.close()


def get(server: ProgressServer, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_what_is_a_part_of_the_stage_tells_its_share(tracker: Tracker) -> None:
    tracker.report(Progress(percent=10))
    beside = tracker.part(0, 80).part(40, 80, "looking for label errors, model 2 of 2")
    beside.report(Progress(percent=50, step=9, message="epoch 1 of 2", secondsLeft=3))
    told = tracker.snapshot()
    assert (told.percent, told.step) == (48, 9)
    assert told.message == "looking for label errors, model 2 of 2: epoch 1 of 2"
    assert told.secondsLeft is None, "of the part alone"


def test_progress_is_the_document_that_status_shows(
    tracker: Tracker, server: ProgressServer
) -> None:
    tracker.report(Progress(percent=42, epoch=3, epochs=5, step=940, metrics={"loss": 0.31}))
    progress = Progress.model_validate_json(get(server, "/progress"))

    assert (progress.percent, progress.epoch, progress.step) == (42, 3, 940)
    assert progress.metrics == {"loss": 0.31}
    assert progress.updateTime is not None


def test_metrics_are_gauges_with_the_jobs_labels(tracker: Tracker, server: ProgressServer) -> None:
    assert "trainyard_trainer_step" not in get(server, "/metrics")
    progress = Progress(epoch=3, step=940, steps=2000, metrics={"loss": 0.31})
    tracker.report(progress, Speed(step_seconds=0.02, examples_per_second=6400))
    text = get(server, "/metrics")

    assert 'trainyard_trainer_step{job="digits",run="1-a"} 940.0' in text
    assert 'trainyard_trainer_loss{job="digits",run="1-a"} 0.31' in text
    assert 'trainyard_trainer_examples_per_second{job="digits",run="1-a"} 6400.0' in text


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("[::1]", marks=needs_ipv6)])
def test_progress_is_told_over_both_families(tracker: Tracker, host: str) -> None:
    server = ProgressServer(tracker, ALL_ADDRESSES, 0, {})
    url = f"http://{host}:{server.port}/progress"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200
    server.close()


def test_other_paths_are_not_found(server: ProgressServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(server, "/etc")


def test_taken_port_says_which() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ProgramFailed, match=str(port)):
            ProgressServer(Tracker(), "127.0.0.1", port, {})


def test_percent_and_seconds_left_follow_from_the_measured_step_time(tracker: Tracker) -> None:
    reporter = Reporter(tracker, Length(epochs=4, steps_per_epoch=100), batch=32)
    reporter.trained(100, step_seconds=0.1, loss=0.5)
    reporter.validated(5.0, val_loss=0.6)
    reporter.trained(200, step_seconds=0.1, loss=0.4)
    progress, speed = tracker.snapshot(), tracker.speed()

    assert (progress.epoch, progress.message) == (2, "epoch 2 of 4")
    assert progress.percent == 47
    assert progress.secondsLeft == 200 * 0.1 + 3 * 5
    assert progress.metrics == {"loss": 0.4, "val_loss": 0.6}
    assert speed is not None
    assert speed.examples_per_second == pytest.approx(320)
