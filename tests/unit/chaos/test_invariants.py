"""The chaos run's invariants see what they are there for, and nothing else."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.chaos.history import History
from tests.chaos.invariants import Invariants
from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_JOB, LABEL_RUN, LABEL_STAGE


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def invariants(history: History) -> Invariants:
    return Invariants(history)


def pod(attempt: int, phase: str = "Running", run: str = "aaa", **more: Any) -> dict[str, Any]:
    name = more.pop("name", f"j-{run}-train-{attempt}-0")
    labels = {
        LABEL_JOB: "j",
        LABEL_RUN: run,
        LABEL_STAGE: "train",
        LABEL_ATTEMPT: str(attempt),
        LABEL_INDEX: "0",
    }
    owners = [{"kind": "TrainingJob", "uid": "job"}]
    uid = more.pop("uid", name)
    metadata = {"name": name, "uid": uid, "labels": labels, "ownerReferences": owners, **more}
    return {"metadata": metadata, "spec": {}, "status": {"phase": phase}}


def job(
    phase: str, generation: int = 1, run: str = "1-aaa", program: int = 0, attempts: int = 1
) -> dict[str, Any]:
    restarts = {"program": program, "infrastructure": 0}
    stages = [{"name": "Train", "attempts": attempts, "restarts": restarts}]
    results = {
        "evaluation": {"metrics": {"accuracy": 0.9}},
        "artifacts": {"model": {"uri": "x"}, "keras": {"uri": "y"}},
    }
    status = {"phase": phase, "run": {"id": run}, "restarts": restarts, "stages": stages, **results}
    metadata = {"name": "j", "uid": "job", "generation": generation}
    return {"metadata": metadata, "spec": {}, "status": status}


def test_an_attempt_beside_an_earlier_one_is_told(history: History, invariants: Invariants) -> None:
    invariants.pod(pod(1))
    invariants.pod(pod(2))
    assert "j-aaa-train-2-0 was created while j-aaa-train-1-0 ran" in history.violations[0]
    assert "was never told to end" in history.violations[0]


def test_an_earlier_attempt_that_comes_late_is_told(
    history: History, invariants: Invariants
) -> None:
    invariants.pod(pod(2))
    invariants.pod(pod(1))
    assert history.violations


def test_a_run_beside_an_earlier_one_is_told(history: History, invariants: Invariants) -> None:
    invariants.pod(pod(1))
    invariants.pod(pod(1, run="bbb"))
    assert history.violations


def test_an_attempt_after_an_earlier_one_is_right(history: History, invariants: Invariants) -> None:
    invariants.pod(pod(1))
    invariants.pod(pod(1, "Failed"))
    invariants.pod(pod(2, "Pending"))
    invariants.pod(pod(2, "Failed"))
    invariants.pod_gone("j-aaa-train-2-0")
    invariants.pod(pod(3, "Pending"))
    assert not history.violations


def test_a_pod_that_never_ends_is_waited_for_no_longer_than_documented(
    history: History, invariants: Invariants, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began)
    invariants.pod(pod(1, deletionTimestamp="x"))
    monkeypatch.setattr(time, "monotonic", lambda: began + 151.0)
    invariants.pod(pod(2))
    assert not history.violations


def test_a_pod_that_is_made_twice_is_told(history: History, invariants: Invariants) -> None:
    invariants.pod(pod(1, uid="one"))
    invariants.pod_gone("one")
    invariants.pod(pod(1, uid="two"))
    assert "created 2 times" in history.violations[0]


def test_a_pod_that_somebody_removed_may_be_made_again(
    history: History, invariants: Invariants
) -> None:
    invariants.pod(pod(1, uid="one"))
    invariants.removed_by_others("Pod", "job", "j-aaa-train-1-0")
    invariants.pod_gone("one")
    invariants.pod(pod(1, uid="two"))
    assert not history.violations


def test_an_end_that_does_not_last_is_told(history: History, invariants: Invariants) -> None:
    invariants.job(job("Succeeded"))
    invariants.job(job("Training"))
    assert "was Succeeded, and is Training" in history.violations[0]


def test_an_end_may_be_left_by_an_edit(history: History, invariants: Invariants) -> None:
    invariants.job(job("Failed", 1))
    invariants.job(job("Failed", 2))
    invariants.job(job("Training", 2))
    assert not history.violations


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (job("Training", program=1), job("Training", program=0)),
        (job("Training", attempts=2), job("Training", attempts=1)),
        (job("Training", run="2-bbb"), job("Training", run="1-aaa")),
        (job("Training", run="1-aaa"), job("Training", run="3-ccc")),
    ],
)
def test_counters_that_go_wrong_are_told(
    history: History, invariants: Invariants, before: dict[str, Any], after: dict[str, Any]
) -> None:
    invariants.job(before)
    invariants.job(after)
    assert history.violations


def test_a_success_without_results_is_told(history: History, invariants: Invariants) -> None:
    empty = job("Succeeded")
    empty["status"]["artifacts"] = {}
    invariants.job(empty)
    assert "without status.artifacts.model" in history.violations[0]
