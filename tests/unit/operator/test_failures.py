"""What follows when pods fail: the table of failures, a row a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.operator.fake_cluster import SETTINGS, FakeCluster, compress_message, make_job
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import Failure, TerminationMessage
from trainyard_api.status import Restarts
from trainyard_operator.brain.gang.restarts import Restart, follow_up
from trainyard_operator.brain.gang.verdict import Cause, Failed, Running, Unclear, Waiting, judge
from trainyard_operator.brain.observed import PodView

NOW = 1000.0


def pod(index: int, **fields: object) -> PodView:
    base = PodView(name=f"w-{index}", stage="train", run="r", attempt=1, index=index)
    return replace(base, **{"phase": "Running", **fields})  # type: ignore[arg-type]


def ended(index: int, code: int, **fields: object) -> PodView:
    return pod(index, phase="Failed", exit_code=code, finish_time=NOW, **fields)


def started() -> FakeCluster:
    cluster = FakeCluster(make_job())
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    return cluster


def worker(cluster: FakeCluster, index: int) -> str:
    return next(p.name for p in cluster.pods.values() if p.index == index)


@pytest.mark.parametrize(
    ("pods", "cause", "reason"),
    [
        ([pod(0), ended(1, 1)], Cause.PROGRAM, "ProgramFailed"),
        ([ended(0, 43), ended(1, 1)], Cause.PROGRAM, "ProgramFailed"),
        ([ended(0, 137, oom_killed=True), ended(1, 43)], Cause.PROGRAM, "OOMKilled"),
        ([ended(0, 43), ended(1, 137)], Cause.PROGRAM, "ProgramFailed"),
        (
            [ended(0, 43), pod(1, disruption="EvictionByEvictionAPI")],
            Cause.INFRASTRUCTURE,
            "EvictionByEvictionAPI",
        ),
        (
            [ended(0, 1), ended(1, 137, disruption="DeletionByTaintManager")],
            Cause.INFRASTRUCTURE,
            "DeletionByTaintManager",
        ),
        ([ended(0, 43), pod(1, deleting=True)], Cause.INFRASTRUCTURE, "PodDeleted"),
        ([pod(0)], Cause.INFRASTRUCTURE, "PodDeleted"),
        ([ended(0, 42), ended(1, 42)], Cause.INFRASTRUCTURE, "Preempted"),
        ([pod(0), ended(1, 44)], Cause.INFRASTRUCTURE, "StoreUnavailable"),
        ([pod(0), pod(1, phase="Failed", exit_code=None)], Cause.INFRASTRUCTURE, "PodLost"),
        ([ended(0, 43), ended(1, 43)], Cause.INFRASTRUCTURE, "PeerLost"),
        ([ended(0, 2), ended(1, 43)], Cause.INVALID, "InvalidSpec"),
        ([ended(0, 43), ended(1, 46)], Cause.INVALID, "Diverged"),
        ([ended(0, 46, deleting=True), ended(1, 137)], Cause.INVALID, "Diverged"),
    ],
)
def test_the_cause_is_found_behind_its_consequences(
    pods: list[PodView], cause: Cause, reason: str
) -> None:
    verdict = judge(pods, 2, formed=True, now=NOW)
    assert isinstance(verdict, Failed)
    assert (verdict.cause, verdict.reason) == (cause, reason)


def test_a_lost_peer_alone_is_waited_for_then_counted_as_infrastructure() -> None:
    pods = [ended(0, 43), pod(1)]
    assert isinstance(judge(pods, 2, formed=True, now=NOW + 5), Unclear)
    verdict = judge(pods, 2, formed=True, now=NOW + 11)
    assert isinstance(verdict, Failed)
    assert verdict.cause is Cause.INFRASTRUCTURE


def test_a_lone_worker_that_blames_its_peers_has_failed_itself() -> None:
    verdict = judge([ended(0, 43)], 1, formed=True, now=NOW)
    assert isinstance(verdict, Failed)
    assert verdict.cause is Cause.PROGRAM


def test_a_gang_that_forms_is_not_missing_pods() -> None:
    assert isinstance(judge([pod(0)], 2, formed=False, now=NOW), Waiting)
    assert isinstance(judge([pod(0), pod(1)], 2, formed=False, now=NOW), Running)


def test_the_gravest_reason_for_waiting_is_told() -> None:
    pods = [
        pod(0, phase="Pending", waiting_reason="Unschedulable", waiting_message="no gpu"),
        pod(1, phase="Pending", waiting_reason="ErrImagePull", waiting_message="no such image"),
    ]
    verdict = judge(pods, 2, formed=False, now=NOW)
    assert isinstance(verdict, Waiting)
    assert verdict.reason == "ErrImagePull"
    assert "no such image" in verdict.message


def test_one_failed_worker_restarts_the_whole_gang() -> None:
    cluster = started()
    cluster.change(worker(cluster, 1), phase="Failed", exit_code=1)
    cluster.settle()
    assert cluster.job.status.restarts.program == 1
    assert cluster.names() == [], "all are freed while the delay runs; logs stay"
    cluster.now += 11
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]


def test_the_next_attempt_waits_for_the_pods_of_the_last_to_end() -> None:
    cluster = started()
    old = cluster.pods[worker(cluster, 0)]
    cluster.change(worker(cluster, 1), phase="Failed", exit_code=1)
    cluster.step()
    cluster.pods[old.name] = replace(old, deleting=True)
    cluster.now += 11
    cluster.settle()
    assert cluster.names() == ["train-1-0"]
    del cluster.pods[old.name]
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]


def test_a_program_that_fails_too_often_fails_the_job_and_says_how() -> None:
    cluster = FakeCluster(make_job(runPolicy={"backoffLimit": 2}))
    for _ in range(3):
        cluster.now += 400
        cluster.settle()
        cluster.run_all()
        cluster.settle()
        cluster.change(worker(cluster, 0), phase="Failed", exit_code=1, message="boom")
        cluster.settle()
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert failed.reason == "BackoffLimitExceeded"
    assert "boom" in failed.message
    assert len(cluster.created) == 6


def test_evictions_never_eat_the_retry_budget() -> None:
    cluster = FakeCluster(make_job(runPolicy={"backoffLimit": 0}))
    for _ in range(5):
        cluster.now += 400
        cluster.settle()
        cluster.run_all()
        cluster.settle()
        cluster.change(worker(cluster, 1), disruption="EvictionByEvictionAPI")
        cluster.settle()
    assert cluster.job.status.phase == "Training"
    assert cluster.job.status.restarts.infrastructure == 5
    assert cluster.job.status.restarts.program == 0


def test_a_gang_that_stands_still_begins_anew_and_eats_no_retry() -> None:
    cluster = started()
    for index in range(2):
        failure = Failure(reason="Stalled", message="no step after 700 for longer than 120 s")
        message = TerminationMessage(failure=failure).encode()
        cluster.change(
            worker(cluster, index), phase="Failed", exit_code=int(ExitCode.STALLED), message=message
        )
    cluster.settle()
    assert cluster.job.status.restarts == Restarts(program=0, infrastructure=1)
    running = cluster.condition("Running")
    assert running is not None
    assert running[1] == "Stalled"


def test_invalid_data_fails_at_once_in_the_words_of_the_program() -> None:
    cluster = started()
    failure = Failure(reason="InvalidData", message="spec.data.source.uri: truncated")
    message = TerminationMessage(failure=failure).encode()
    cluster.change(
        worker(cluster, 0), phase="Failed", exit_code=int(ExitCode.INVALID), message=message
    )
    cluster.settle()
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert failed.reason == "InvalidData"
    assert "spec.data.source.uri: truncated" in failed.message
    assert cluster.job.status.restarts.program == 0


@pytest.mark.parametrize("says_why", [True, False])
def test_what_has_diverged_fails_at_once_with_the_cure(says_why: bool) -> None:
    cluster = started()
    failure = Failure(reason="Diverged", message="no finite number; try a smaller learningRate")
    message = TerminationMessage(failure=failure).encode() if says_why else ""
    for index in range(2):
        cluster.change(
            worker(cluster, index),
            phase="Failed",
            exit_code=int(ExitCode.DIVERGED),
            message=message,
        )
    cluster.settle()
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert failed.reason == "Diverged"
    assert "learningRate" in failed.message
    assert cluster.job.status.restarts == Restarts(program=0, infrastructure=0)
    cluster.now += 1000
    cluster.settle()
    assert len(cluster.created) == 2, "no second attempt"


def test_a_gang_that_does_not_start_is_freed_and_says_who_waited_for_what() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    cluster.change(
        worker(cluster, 1), waiting_reason="Unschedulable", waiting_message="0/3 nodes have a gpu"
    )
    cluster.settle()
    running = cluster.job.status.condition("Running")
    assert running is not None
    assert "0/3 nodes have a gpu" in running.message
    cluster.now += 601
    cluster.settle()
    assert cluster.names() == []
    assert cluster.job.status.restarts.infrastructure == 1


def test_what_only_a_person_can_mend_is_waited_for_once_and_not_again_and_again() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    name = worker(cluster, 0)
    cluster.change(name, waiting_reason="ImagePullBackOff", waiting_message="no such image")
    cluster.settle()
    cluster.now += 60
    cluster.settle()
    assert cluster.job.status.phase == "Training", "somebody may be about to push it"
    cluster.now += 61
    cluster.settle()
    assert cluster.condition("Failed") == (
        "True",
        "ImagePullBackOff",
        f"nothing has changed for 120 s: {name}: no such image",
    )
    assert len(cluster.created) == 2
    assert cluster.names() == []


def test_an_image_that_comes_in_time_is_forgiven() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    name = worker(cluster, 0)
    cluster.change(name, waiting_reason="ErrImagePull", waiting_message="no such image")
    cluster.settle()
    cluster.now += 100
    cluster.change(name, waiting_reason="", waiting_message="")
    cluster.settle()
    assert cluster.stage("Train").blockedTime is None
    cluster.now += 100
    cluster.settle()
    assert cluster.job.status.phase == "Training"


@pytest.mark.parametrize("message", ["hello", "", "[" * 100000, compress_message()])
def test_a_program_that_ends_well_without_a_result_is_told_so_once(message: str) -> None:
    cluster = started()
    cluster.change(worker(cluster, 0), phase="Succeeded", exit_code=0, message=message)
    cluster.settle()
    failed = cluster.condition("Failed")
    assert failed is not None
    assert failed[1] == "InvalidResult"
    assert len(cluster.created) == 2, "it would say the same again"
    assert len(failed[2]) < 2000


def test_a_program_that_ended_beside_a_running_sidecar_has_failed() -> None:
    verdict = judge([pod(0), pod(1, exit_code=1)], 2, formed=True, now=NOW)
    assert isinstance(verdict, Failed)
    assert verdict.cause is Cause.PROGRAM


def test_delays_stay_numbers_however_often_a_program_fails() -> None:
    policy = make_job(runPolicy={"backoffLimit": 5000}).spec.runPolicy
    failure = Failed(Cause.PROGRAM, "ProgramFailed", "boom")
    outcome = follow_up(failure, Restarts(program=2000), policy, SETTINGS)
    assert isinstance(outcome, Restart)
    assert outcome.delay == 360.0
