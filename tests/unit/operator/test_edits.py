"""Edits destroy no work."""

from __future__ import annotations

import pytest

from tests.unit.operator.fake_cluster import (
    FakeCluster,
    make_job,
    train_message,
)
from tests.unit.operator.stories import (
    fail_all,
    leads_to_ready,
    retrain,
    running,
    serving,
    start,
    train_and_compress,
)
from trainyard_api.spec import Explanation, Serving


def failed_second(cluster: FakeCluster) -> None:
    """The first model serves, the second one's rollout has failed."""
    cluster.succeed()
    retrain(cluster)
    cluster.now += 301
    cluster.settle()
    assert cluster.phase == "Failed"
    assert leads_to_ready(cluster)


def test_replicas_of_what_serves_train_nothing_after_a_failed_run(cluster: FakeCluster) -> None:
    cluster.succeed()
    cluster.edit(training=cluster.job.spec.training.model_copy(update={"epochs": 9}))
    start(cluster)
    fail_all(cluster, exit_code=2)
    assert cluster.phase == "Failed"
    trained, run = list(cluster.created), cluster.job.status.run
    cluster.edit(serving=serving(cluster, replicas=4))
    cluster.settle()
    assert cluster.created == trained
    assert cluster.job.status.run == run
    assert cluster.phase == "Failed"
    assert [d.replicas for d in cluster.deployments.values()] == [4]


def test_a_failed_rollout_is_tried_again_from_the_model_that_exists(cluster: FakeCluster) -> None:
    failed_second(cluster)
    created, run = list(cluster.created), cluster.job.status.run
    cluster.edit(serving=serving(cluster, replicas=3))
    cluster.settle()
    assert cluster.phase == "RollingOut"
    cluster.ready_all()
    cluster.settle()
    assert cluster.phase == "Succeeded"
    assert (cluster.created, cluster.job.status.run) == (created, run)
    assert [d.run for d in cluster.deployments.values()] == [cluster.run_hash]
    assert leads_to_ready(cluster)


def test_a_failed_stage_is_tried_again_from_the_stages_that_are_done() -> None:
    cluster = running(compression={}, runPolicy={"backoffLimit": 0})
    cluster.finish_all(train_message())
    start(cluster)
    fail_all(cluster, exit_code=1)
    assert cluster.phase == "Failed"
    cluster.edit(runPolicy=cluster.job.spec.runPolicy.model_copy(update={"backoffLimit": 3}))
    cluster.settle()
    assert cluster.phase == "Compressing"
    assert cluster.names() == ["compress-2-0"]
    assert cluster.job.status.condition("Failed") is None


@pytest.mark.parametrize("field", ["suspend", "ttlSecondsAfterFinished", "cleanPodPolicy"])
def test_what_cannot_help_a_failed_stage_leaves_it_alone(field: str) -> None:
    cluster = running(runPolicy={"backoffLimit": 0})
    cluster.change(next(iter(cluster.pods)), phase="Failed", exit_code=1)
    cluster.settle()
    values = {"suspend": True, "ttlSecondsAfterFinished": 999, "cleanPodPolicy": "None"}
    policy = cluster.job.spec.runPolicy.model_copy(update={field: values[field]})
    cluster.edit(runPolicy=policy)
    cluster.settle()
    assert cluster.phase == "Failed"


def test_a_typo_in_serving_while_it_trains_kills_no_gang() -> None:
    cluster = running(serving={})
    before = cluster.names()
    cluster.edit(serving=serving(cluster, backend="kserve"))
    cluster.settle()
    assert cluster.names() == before
    assert "spec.serving.backend" in cluster.condition("Accepted")[2]  # type: ignore[index]
    assert cluster.phase == "Training"
    train_and_compress(cluster)
    assert cluster.stage("Compress").state == "Succeeded", "what it does not touch goes on"
    assert "spec.serving.backend" in cluster.stage("Serve").message
    cluster.edit(serving=serving(cluster, backend="deployment"))
    cluster.settle()
    cluster.ready_all()
    cluster.settle()
    assert cluster.phase == "Succeeded"


def test_a_new_run_that_cannot_be_run_leaves_the_old_one_training() -> None:
    cluster = running()
    run, before = cluster.job.status.run, cluster.names()
    data = cluster.job.spec.data
    nothing_left = data.split.model_copy(update={"validation": 0.5, "test": 0.5})
    cluster.edit(data=data.model_copy(update={"split": nothing_left}))
    cluster.settle()
    assert (cluster.job.status.run, cluster.names()) == (run, before)
    assert cluster.condition("Accepted")[0] == "False"  # type: ignore[index]
    cluster.edit(data=data)
    cluster.settle()
    assert (cluster.job.status.run, cluster.names()) == (run, before)
    assert cluster.phase == "Training"


def test_a_wrong_spec_takes_no_endpoint_away(cluster: FakeCluster) -> None:
    cluster.succeed()
    served = (dict(cluster.services), dict(cluster.deployments))
    cluster.edit(serving=None, explanation=Explanation())
    cluster.settle()
    assert (cluster.services, cluster.deployments) == served
    assert cluster.condition("Serving")[0] == "True"  # type: ignore[index]
    cluster.edit(explanation=None)
    cluster.settle()
    assert cluster.deployments == {}
    cluster.edit(serving=Serving())
    cluster.settle()
    assert cluster.phase == "RollingOut"


def test_a_job_whose_spec_was_wrong_begins_when_it_is_mended() -> None:
    cluster = FakeCluster(make_job(serving={"backend": "kserve"}))
    cluster.settle()
    assert cluster.phase == "Failed"
    cluster.edit(serving=serving(cluster, backend="deployment"))
    cluster.settle()
    assert cluster.phase == "Training"
    assert cluster.names() == ["train-1-0", "train-1-1"]


def test_a_name_that_becomes_free_lets_the_job_begin() -> None:
    cluster = FakeCluster(make_job(serving={}), foreign={"Service/fashion"})
    cluster.settle()
    assert cluster.phase == "Failed"
    cluster.foreign = set()
    cluster.settle()
    assert cluster.phase == "Training"
