"""Whatever happens to a job harms nothing: neither what runs, nor what serves, nor a result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.operator.fake_cluster import (
    ARTIFACT,
    SETTINGS,
    FakeCluster,
    changed,
    compress_message,
    make_job,
    train_message,
)
from tests.unit.operator.stories import (
    leads_to_ready,
    retrain,
    running,
    train_and_compress,
)
from trainyard_api.names import ANNOTATION_REDEPLOY
from trainyard_api.spec import Serving
from trainyard_api.status import Artifacts
from trainyard_operator.brain.observed import PodView
from trainyard_operator.build.deployments import build_deployment
from trainyard_operator.build.pods import build_compressor

# Results come before deadlines and suspensions.


def test_a_result_that_lies_there_is_taken_up_before_the_deadline() -> None:
    cluster = running(runPolicy={"activeDeadlineSeconds": 60})
    cluster.finish_all(train_message())
    cluster.now += 61
    cluster.settle()
    assert cluster.phase == "Succeeded"
    assert cluster.job.status.artifacts.model is not None


def test_a_worker_that_hangs_after_its_chief_is_done_is_freed() -> None:
    cluster = running(compression={})
    chief, worker = sorted(cluster.pods)
    cluster.change(chief, phase="Succeeded", exit_code=0, message=train_message())
    cluster.step()
    assert worker not in cluster.pods
    assert cluster.stage("Train").state == "Succeeded"
    assert chief in cluster.pods, "its log stays"


@pytest.mark.parametrize("served_before", [False, True])
def test_suspending_a_rollout_frees_the_candidate_and_stops_its_clock(served_before: bool) -> None:
    cluster = FakeCluster(make_job(compression={}, serving={}))
    if served_before:
        cluster.succeed()
        retrain(cluster)
    else:
        train_and_compress(cluster)
    candidate = f"fashion-{cluster.run_hash}"
    assert candidate in cluster.deployments
    policy = cluster.job.spec.runPolicy
    cluster.edit(runPolicy=policy.model_copy(update={"suspend": True}))
    cluster.settle()
    assert cluster.phase == "Suspended"
    assert candidate not in cluster.deployments
    assert leads_to_ready(cluster) is served_before
    cluster.now += 5000
    cluster.edit(runPolicy=policy)
    cluster.settle()
    assert cluster.phase == "RollingOut"
    cluster.ready_all()
    cluster.settle()
    assert cluster.phase == "Succeeded"


# Stages do not pay for each other.


def test_each_stage_has_its_own_attempts_and_its_own_retries() -> None:
    cluster = FakeCluster(make_job(compression={}, runPolicy={"backoffLimit": 1}))
    for message in (train_message(), compress_message()):
        for code in (1, 0):
            cluster.now += 400
            cluster.settle()
            cluster.run_all()
            cluster.settle()
            live = [p.name for p in cluster.pods.values() if not p.finished]
            if code:
                cluster.change(live[0], phase="Failed", exit_code=code)
            else:
                cluster.finish_all(message)
            cluster.settle()
    assert cluster.phase == "Succeeded"
    assert cluster.job.status.restarts.program == 2
    assert [s.restarts.program for s in cluster.job.status.stages] == [1, 1]
    assert [s.attempts for s in cluster.job.status.stages] == [2, 2]


def test_a_retry_of_compression_keeps_the_logs_of_training() -> None:
    cluster = running(compression={})
    cluster.finish_all(train_message())
    trained = sorted(cluster.pods)
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    name = next(p.name for p in cluster.pods.values() if p.stage == "compress")
    cluster.change(name, phase="Failed", exit_code=1)
    cluster.settle()
    cluster.now += 30
    cluster.settle()
    assert set(trained) <= cluster.pods.keys()
    assert cluster.names() == ["compress-2-0"]


def test_the_image_of_a_program_of_ones_own_compresses_nothing() -> None:
    own = make_job(workers={"image": "me/mine:1", "command": ["python", "x.py"]})
    ours = make_job(workers={"image": "me/trainer-with-more:1"})
    images = [
        build_compressor(job, "1-5f3a9c", 1, Artifacts(model=ARTIFACT), SETTINGS)["spec"][
            "containers"
        ][0]["image"]
        for job in (own, ours)
    ]
    assert images == [SETTINGS.trainer_image, "me/trainer-with-more:1"]


# What serves stays as it is until its job asks for something else.


def test_an_upgrade_of_the_operator_rolls_no_endpoint(cluster: FakeCluster) -> None:
    cluster.succeed()
    newer = SETTINGS.model_copy(update={"serving_image": "trainyard/serving:next"})
    before = dict(cluster.deployments)
    cluster.settings = newer
    cluster.settle()
    assert cluster.deployments == before
    annotations = {ANNOTATION_REDEPLOY: "now"}
    metadata = cluster.job.metadata.model_copy(update={"annotations": annotations})
    cluster.job = cluster.job.model_copy(update={"metadata": metadata})
    plan = cluster.step()
    [deployment] = plan.replace
    containers = deployment["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "trainyard/serving:next"


def test_what_others_change_is_repaired(cluster: FakeCluster) -> None:
    cluster.succeed()
    [name] = cluster.deployments
    cluster.deployments[name] = replace(cluster.deployments[name], replicas=7)
    cluster.services["fashion"] = replace(cluster.services["fashion"], digest="edited")
    cluster.settle()
    assert cluster.deployments[name].replicas == 2
    assert cluster.services["fashion"].digest != "edited"


def test_a_policy_that_is_deleted_while_it_trains_comes_back() -> None:
    cluster = running()
    cluster.policies.clear()
    cluster.settle()
    assert len(cluster.policies) == 1


def test_an_autoscalers_replicas_are_its_own(cluster: FakeCluster) -> None:
    cluster.succeed()
    [name] = cluster.deployments
    cluster.deployments[name] = replace(cluster.deployments[name], replicas=7, autoscaled=True)
    cluster.settle()
    assert cluster.deployments[name].replicas == 7


def test_each_name_of_an_endpoint_has_pods_of_its_own() -> None:
    job = make_job(serving={})
    other = changed(job, serving=Serving(name="other"))
    selectors = []
    for one in (job, other):
        assert one.spec.serving is not None
        built = build_deployment(one, one.spec.serving, "1-5f3a9c", ARTIFACT, SETTINGS)
        selectors.append(built["spec"]["selector"]["matchLabels"])
    assert selectors[0] != selectors[1]


def test_the_endpoint_follows_the_labels_that_an_earlier_version_gave(cluster: FakeCluster) -> None:
    """A Deployment's selector can never change."""
    cluster.succeed()
    [name] = cluster.deployments
    old = {"trainyard.dev/job": "fashion", "trainyard.dev/run": cluster.run_hash}
    cluster.deployments[name] = replace(cluster.deployments[name], selector=old)
    plan = cluster.step()
    [service] = plan.replace
    assert service["spec"]["selector"] == old


def test_a_pod_of_a_later_attempt_is_never_started_beside_an_older_one() -> None:
    cluster = running()
    old = cluster.pods[sorted(cluster.pods)[0]]
    cluster.change(sorted(cluster.pods)[1], phase="Failed", exit_code=1)
    cluster.step()
    cluster.pods[old.name] = replace(old, deleting=True)
    cluster.now += 130
    cluster.settle()
    assert cluster.names() == ["train-1-0"], "its own grace of 120 s, and 120 s more"
    cluster.now += 130
    cluster.settle()
    assert cluster.names() == ["train-1-0", "train-2-0", "train-2-1"], "its node may be lost"


def test_pods_that_nobody_could_tell_to_end_have_their_time_before_the_next_attempt() -> None:
    """The operator was stopped between status and deletions, and was away for an hour."""
    cluster = running()
    before = dict(cluster.pods)
    cluster.change(sorted(cluster.pods)[1], phase="Failed", exit_code=1)
    cluster.step()
    cluster.pods = dict(before)
    cluster.now += 3600
    cluster.step()
    assert cluster.created == sorted(before)
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]


def test_a_pod_with_a_foreign_label_blocks_nothing() -> None:
    cluster = running()
    cluster.pods["stranger"] = PodView("stranger", "train", "other", attempt=1, index=0)
    cluster.settle()
    assert "stranger" not in cluster.pods
