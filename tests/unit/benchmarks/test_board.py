"""A job's latency is what it took, less the time in which all its pods ran."""

import pytest

from benchmarks.controlplane.api import Access, Api, Object
from benchmarks.controlplane.board import Board, JobTimes, PodTimes, Stalled
from trainyard_api.names import LABEL_JOB


def test_the_time_in_which_all_pods_ran_does_not_count() -> None:
    pods = {"a": PodTimes(10.5, 11.0, 12.0), "b": PodTimes(10.75, 11.25, 12.25)}
    parts = JobTimes(created=10.0, succeeded=12.5, pods=pods).parts()
    assert parts is not None
    assert (parts.pods, parts.running, parts.end, parts.all) == (0.75, 0.5, 0.25, 1.5)


def test_a_job_that_has_not_ended_has_no_latency() -> None:
    pods = {"a": PodTimes(10.5, 11.0)}
    assert JobTimes(created=10.0, succeeded=None, pods=pods).parts() is None
    assert JobTimes(created=10.0, succeeded=12.0, pods=pods).parts() is None


def job(phase: str) -> Object:
    return {"metadata": {"name": "one"}, "status": {"phase": phase}}


def pod(name: str, phase: str) -> Object:
    return {"metadata": {"name": name, "labels": {LABEL_JOB: "one"}}, "status": {"phase": phase}}


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(Api, "__init__", lambda *_: None)
    return Board(Api(Access("", None)), "here")  # type: ignore[arg-type]


def test_each_thing_counts_once_however_often_it_is_seen(board: Board) -> None:
    for _ in range(2):
        board.on_pod("ADDED", pod("a", "Pending"))
        board.on_pod("MODIFIED", pod("a", "Running"))
        board.on_pod("MODIFIED", pod("a", "Succeeded"))
        board.on_job("MODIFIED", job("Succeeded"))
    assert (board.pods, board.running, board.succeeded) == (1, 1, 1)


async def test_a_failed_job_ends_the_waiting(board: Board) -> None:
    board.on_job("MODIFIED", job("Failed"))
    with pytest.raises(Stalled, match="one"):
        await board.wait("jobs", 1, lambda: board.succeeded)
