"""An older or newer operator never harms a job, nor does a status that somebody has changed."""

from __future__ import annotations

import pytest

from tests.unit.operator.fake_cluster import (
    FakeCluster,
    make_job,
    train_message,
)
from tests.unit.operator.stories import (
    leads_to_ready,
    retrain,
    running,
    train_and_compress,
)
from trainyard_api.status import TrainingJobStatus


def test_fields_of_a_later_version_touch_nothing_that_has_begun() -> None:
    cluster = running(serving={})
    cluster.unknown = ("spec.workers.novelty",)
    before = (cluster.job.status, cluster.names())
    cluster.settle()
    assert (cluster.job.status, cluster.names()) == before
    train_and_compress(cluster)
    cluster.ready_all()
    cluster.settle()
    assert cluster.phase == "Succeeded"


def test_a_job_of_a_later_version_waits_for_an_operator_that_knows_it() -> None:
    cluster = FakeCluster(make_job(), unknown=("spec.workers.novelty",))
    cluster.settle()
    assert cluster.job.status == TrainingJobStatus()
    assert cluster.pods == {}
    assert set(cluster.events) == {"UnknownField"}
    cluster.unknown = ()
    cluster.settle()
    assert cluster.names() == ["train-1-0", "train-1-1"]


@pytest.mark.parametrize("before", [None, "5f3a9c"])
def test_a_failed_job_of_an_earlier_version_is_not_tried_again_by_an_upgrade(
    before: str | None,
) -> None:
    cluster = running(runPolicy={"backoffLimit": 0})
    cluster.change(next(iter(cluster.pods)), phase="Failed", exit_code=1)
    cluster.settle()
    stages = [s.model_copy(update={"specHash": before}) for s in cluster.job.status.stages]
    status = cluster.job.status.model_copy(update={"stages": stages})
    cluster.job = cluster.job.model_copy(update={"status": status})
    created = list(cluster.created)
    cluster.settle()
    assert cluster.phase == "Failed"
    assert cluster.created == created


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_status_that_somebody_erases_costs_no_running_gang(attempt: int) -> None:
    cluster = running()
    for _ in range(attempt - 1):
        cluster.change(
            next(p.name for p in cluster.pods.values() if not p.finished),
            disruption="EvictionByEvictionAPI",
        )
        cluster.settle()
        cluster.now += 100
        cluster.settle()
        cluster.run_all()
        cluster.settle()
    before = cluster.names()
    assert before == [f"train-{attempt}-0", f"train-{attempt}-1"]
    cluster.job = cluster.job.model_copy(update={"status": TrainingJobStatus()})
    cluster.settle()
    assert cluster.names() == before
    assert cluster.phase == "Training"


def test_a_status_erased_in_a_later_run_finds_its_run_again(cluster: FakeCluster) -> None:
    cluster.succeed()
    retrain(cluster)
    run = cluster.job.status.run
    cluster.job = cluster.job.model_copy(update={"status": TrainingJobStatus()})
    cluster.step()
    assert cluster.job.status.run == run


def test_a_status_that_somebody_erases_takes_no_endpoint_away(cluster: FakeCluster) -> None:
    cluster.succeed()
    old = cluster.run_hash
    cluster.edit(training=cluster.job.spec.training.model_copy(update={"epochs": 9}))
    cluster.settle()
    cluster.job = cluster.job.model_copy(update={"status": TrainingJobStatus()})
    cluster.settle()
    assert [d.run for d in cluster.deployments.values()] == [old]
    assert leads_to_ready(cluster)
    train_and_compress(cluster)
    cluster.ready_all()
    cluster.settle()
    assert cluster.phase == "Succeeded"
    assert [d.run for d in cluster.deployments.values()] == [cluster.run_hash]


def test_a_status_of_an_earlier_attempt_that_somebody_brings_back_starts_no_second_gang() -> None:
    cluster = running()
    older = cluster.job.status
    cluster.change(next(iter(cluster.pods)), phase="Failed", exit_code=1)
    cluster.settle()
    cluster.now += 60
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]
    cluster.job = cluster.job.model_copy(update={"status": older})
    created = list(cluster.created)
    cluster.settle()
    assert cluster.created == created
    assert (cluster.phase, cluster.stage("Train").attempts) == ("Training", 2)
    cluster.finish_all(train_message())
    cluster.settle()
    assert cluster.phase == "Succeeded"
