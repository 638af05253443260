"""A job whose user, cluster or operator changes in the middle of its way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.operator.fake_cluster import (
    SETTINGS,
    FakeCluster,
    changed,
    compress_message,
    make_job,
    train_message,
)
from tests.unit.operator.stories import running, train_and_compress
from trainyard_api.spec import Code, Serving, Training, TrainingJob
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import Observed, Refusal
from trainyard_operator.brain.runs import wanted_hash


def suspended(job: TrainingJob, suspend: bool, **spec: object) -> TrainingJob:
    policy = job.spec.runPolicy.model_copy(update={"suspend": suspend})
    return changed(job, runPolicy=policy, **spec)


def retrained(job: TrainingJob) -> TrainingJob:
    return changed(job, training=job.spec.training.model_copy(update={"epochs": 9}))


def condition(cluster: FakeCluster, kind: Any) -> str | None:
    found = cluster.job.status.condition(kind)
    return found.status if found else None


def endpoints(cluster: FakeCluster) -> list[str]:
    return [service.name for service in cluster.services.values() if service.stage == "serve"]


def named(serving: Serving | None, name: str) -> Serving:
    assert serving is not None
    return serving.model_copy(update={"name": name})


def test_serving_taken_out_while_it_trains_is_no_longer_waited_for() -> None:
    cluster = running(serving={})
    cluster.job = changed(cluster.job, serving=None)
    cluster.finish_all(train_message())
    cluster.settle()
    assert cluster.job.status.phase == "Succeeded"
    assert endpoints(cluster) == [], "the claimed name is given back"


def test_serving_taken_out_while_it_rolls_out_leaves_nothing_behind() -> None:
    cluster = FakeCluster(make_job(serving={}))
    train_and_compress(cluster)
    assert cluster.job.status.phase == "RollingOut"
    cluster.job = changed(cluster.job, serving=None)
    cluster.settle()
    assert cluster.job.status.phase == "Succeeded"
    assert (endpoints(cluster), cluster.deployments) == ([], {})


@pytest.mark.parametrize("finished", [False, True])
def test_serving_that_is_asked_for_later_is_served_without_training_again(finished: bool) -> None:
    cluster = running()
    if finished:
        cluster.finish_all(train_message())
        cluster.settle()
        assert cluster.job.status.phase == "Succeeded"
    cluster.job = changed(cluster.job, serving=Serving())
    cluster.settle()
    cluster.finish_all(train_message()) if not finished else None
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(compress_message())
    cluster.settle()
    cluster.ready_all()
    cluster.settle()
    assert cluster.job.status.phase == "Succeeded"
    assert condition(cluster, "Serving") == "True"
    assert [name for name in cluster.created if "-train-" in name] == cluster.created[:2]


def test_a_new_name_that_is_taken_leaves_what_serves_alone(cluster: FakeCluster) -> None:
    cluster.succeed()
    before = (dict(cluster.services), dict(cluster.deployments))
    cluster.foreign = {"Service/shared"}
    cluster.job = changed(cluster.job, serving=named(cluster.job.spec.serving, "shared"))
    cluster.settle()
    assert (cluster.services, cluster.deployments) == before
    assert condition(cluster, "Accepted") == "False"
    assert cluster.job.status.phase == "Succeeded"


def test_the_old_name_serves_until_the_new_one_is_ready(cluster: FakeCluster) -> None:
    cluster.succeed()
    cluster.job = changed(cluster.job, serving=named(cluster.job.spec.serving, "other"))
    plan = cluster.step()
    assert plan.delete == ()
    cluster.ready_all()
    cluster.settle()
    assert endpoints(cluster) == ["other"]
    assert [name.rpartition("-")[0] for name in cluster.deployments] == ["other"]


def test_a_served_job_says_what_of_a_changed_spec_is_not_built(cluster: FakeCluster) -> None:
    cluster.succeed()
    assert cluster.job.spec.serving is not None
    serving = cluster.job.spec.serving.model_copy(update={"backend": "kserve"})
    cluster.job = changed(cluster.job, serving=serving)
    cluster.settle()
    accepted = cluster.job.status.condition("Accepted")
    assert accepted is not None
    assert "spec.serving.backend" in accepted.message
    assert cluster.job.status.phase == "Succeeded"


def test_a_revision_stays_served_in_its_condition_while_the_next_one_fails(
    cluster: FakeCluster,
) -> None:
    cluster.succeed()
    cluster.job = retrained(cluster.job)
    cluster.pods.clear()
    train_and_compress(cluster)
    assert condition(cluster, "Serving") == "True"
    cluster.now += 301
    cluster.settle()
    assert cluster.job.status.phase == "Failed"
    assert condition(cluster, "Serving") == "True"


@pytest.mark.parametrize("first", [True, False])
def test_a_rollback_that_was_only_written_is_still_carried_out(
    cluster: FakeCluster, first: bool
) -> None:
    served: list[str] = []
    if not first:
        cluster.succeed()
        served = list(cluster.deployments)
        cluster.job = retrained(cluster.job)
        cluster.pods.clear()
    train_and_compress(cluster)
    cluster.now += 301
    killed = dict(cluster.deployments)
    cluster.step()
    cluster.deployments = killed
    cluster.settle()
    assert list(cluster.deployments) == served


def test_a_deadline_during_the_rollout_leaves_no_deployment() -> None:
    policy = {"activeDeadlineSeconds": 200}
    cluster = FakeCluster(make_job(serving={}, runPolicy=policy))
    train_and_compress(cluster)
    assert cluster.deployments
    cluster.now += 201
    cluster.settle()
    assert cluster.job.status.phase == "Failed"
    assert cluster.deployments == {}


def deadline(cluster: FakeCluster, seconds: int | None) -> None:
    policy = cluster.job.spec.runPolicy
    cluster.edit(runPolicy=policy.model_copy(update={"activeDeadlineSeconds": seconds}))


def test_a_deadline_that_is_over_when_it_is_set_ends_the_job_for_good() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    cluster.now += 100
    deadline(cluster, 60)
    cluster.settle()
    assert cluster.phase == "Failed"
    assert "TriedAgain" not in cluster.events


def test_a_limit_that_is_lowered_ends_the_job_for_good() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    policy = cluster.job.spec.runPolicy
    cluster.edit(runPolicy=policy.model_copy(update={"backoffLimit": 0}))
    cluster.change(next(iter(cluster.pods)), phase="Failed", exit_code=1)
    cluster.settle()
    assert cluster.phase == "Failed"
    assert cluster.names() == []


def test_workers_that_are_mended_before_they_fail_are_tried_again() -> None:
    cluster = FakeCluster(make_job(runPolicy={"backoffLimit": 0}))
    cluster.settle()
    cluster.edit(workers=cluster.job.spec.workers.model_copy(update={"image": "me/mended:1"}))
    cluster.change(next(iter(cluster.pods)), phase="Failed", exit_code=1)
    cluster.settle()
    assert cluster.phase == "Training", "what failed is not what is asked for now"


@pytest.mark.parametrize("begun", [False, True])
def test_a_longer_deadline_lets_a_stage_go_on_that_had_not_even_begun(begun: bool) -> None:
    cluster = running(compression={}, runPolicy={"activeDeadlineSeconds": 60})
    cluster.now += 30 if begun else 61
    cluster.finish_all(train_message())
    cluster.settle()
    cluster.now += 61
    cluster.settle()
    assert cluster.phase == "Failed"
    deadline(cluster, None)
    cluster.settle()
    assert cluster.phase == "Compressing"
    assert [stage.state for stage in cluster.job.status.stages] == ["Succeeded", "Starting"]


def test_a_job_that_is_tried_again_waits_for_the_pods_that_it_had_when_it_failed() -> None:
    cluster = running(runPolicy={"activeDeadlineSeconds": 60})
    pods = dict(cluster.pods)
    cluster.now += 61
    cluster.settle()
    cluster.pods = {name: replace(pod, deleting=True) for name, pod in pods.items()}
    deadline(cluster, None)
    cluster.settle()
    assert cluster.names() == ["train-1-0", "train-1-1"]
    cluster.pods.clear()
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]


def test_a_rollout_that_was_changed_on_its_way_fails_for_good() -> None:
    cluster = FakeCluster(make_job(serving={}))
    train_and_compress(cluster)
    cluster.edit(serving=named(cluster.job.spec.serving, "other"))
    cluster.settle()
    cluster.now += 301
    cluster.settle()
    assert cluster.phase == "Failed"
    assert "TriedAgain" not in cluster.events


def test_a_rollout_that_was_interrupted_has_its_time_anew() -> None:
    cluster = FakeCluster(make_job(serving={}))
    train_and_compress(cluster)
    phases = []
    cluster.deployments.clear()
    for seconds in (3600, 301):
        cluster.now += seconds
        cluster.settle()
        phases.append(cluster.job.status.phase)
    assert phases == ["RollingOut", "Failed"]


def linger(cluster: FakeCluster) -> None:
    """Decide once; the pods that are deleted by that take their time to end."""
    before = dict(cluster.pods)
    cluster.step()
    going = {n: replace(p, deleting=True) for n, p in before.items() if n not in cluster.pods}
    cluster.pods.update(going)


def test_a_new_run_waits_for_the_pods_of_the_last_to_end() -> None:
    cluster = running()
    cluster.job = retrained(cluster.job)
    linger(cluster)
    cluster.now += 60
    cluster.settle()
    assert len(cluster.created) == 2, "two chiefs must not work at once"
    cluster.pods.clear()
    cluster.settle()
    assert len(cluster.created) == 4


def test_a_new_run_waits_no_longer_than_a_lost_node_may_take() -> None:
    cluster = running()
    cluster.job = retrained(cluster.job)
    linger(cluster)
    cluster.now += cluster.job.spec.workers.terminationGracePeriodSeconds + 121
    cluster.settle()
    assert len(cluster.created) == 4


def test_a_failed_stage_that_is_tried_again_waits_for_the_pods_of_the_last_attempt() -> None:
    cluster = running(runPolicy={"activeDeadlineSeconds": 600})
    cluster.now += 601
    linger(cluster)
    assert cluster.phase == "Failed"
    policy = cluster.job.spec.runPolicy.model_copy(update={"activeDeadlineSeconds": 6000})
    cluster.job = changed(cluster.job, runPolicy=policy)
    cluster.now += 10
    cluster.settle()
    assert len(cluster.created) == 2, "two chiefs must not write one store"
    cluster.pods.clear()
    cluster.settle()
    assert len(cluster.created) == 4


def test_a_job_that_is_changed_and_resumed_at_once_is_not_suspended() -> None:
    cluster = FakeCluster(make_job(runPolicy={"suspend": True}))
    cluster.settle()
    assert condition(cluster, "Suspended") == "True"
    cluster.job = suspended(retrained(cluster.job), False)
    cluster.settle()
    assert condition(cluster, "Suspended") == "False"


def test_time_that_a_job_was_suspended_does_not_count_for_its_deadline() -> None:
    policy = {"suspend": True, "activeDeadlineSeconds": 60}
    cluster = FakeCluster(make_job(runPolicy=policy))
    cluster.settle()
    cluster.now += 3600
    cluster.job = suspended(cluster.job, False)
    cluster.settle()
    assert cluster.job.status.phase == "Training"


def test_a_result_is_taken_up_before_suspension_frees_its_pod() -> None:
    cluster = running(compression={})
    cluster.finish_all(train_message())
    cluster.job = suspended(cluster.job, True)
    cluster.settle()
    assert cluster.stage("Train").state == "Succeeded"
    assert cluster.job.status.phase == "Suspended"
    assert cluster.names() == []
    cluster.job = suspended(cluster.job, False)
    cluster.settle()
    assert cluster.names() == ["compress-1-0"]


def refused(cluster: FakeCluster, refusal: Refusal) -> None:
    observed = Observed(
        job=cluster.job,
        services=list(cluster.services.values()),
        deployments=list(cluster.deployments.values()),
        policies=list(cluster.policies.values()),
        refusals=[refusal],
    )
    plan = decide(observed, SETTINGS, cluster.now)
    cluster.job = cluster.job.model_copy(update={"status": plan.status})


def test_a_pod_that_the_api_server_refuses_fails_the_job_with_its_words() -> None:
    cluster = FakeCluster(make_job())
    refused(cluster, Refusal("Pod", "x", "422 Invalid: limits.memory: 4GB", invalid=True))
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert failed.reason == "InvalidSpec"
    assert "limits.memory: 4GB" in failed.message


def test_a_pod_over_the_quota_is_waited_for_and_told() -> None:
    cluster = FakeCluster(make_job())
    cluster.step()
    refused(cluster, Refusal("Pod", "x", "exceeded quota", invalid=False))
    running = cluster.job.status.condition("Running")
    assert running is not None
    assert "exceeded quota" in running.message
    assert cluster.job.status.phase == "Training"


def test_a_deployment_that_is_refused_is_not_tried_again_and_again(cluster: FakeCluster) -> None:
    cluster.succeed()
    assert cluster.job.spec.serving is not None
    serving = cluster.job.spec.serving.model_copy(update={"replicas": 9})
    cluster.job = changed(cluster.job, serving=serving)
    observed = Observed(
        job=cluster.job,
        services=list(cluster.services.values()),
        deployments=list(cluster.deployments.values()),
        refusals=[Refusal("Deployment", "x", "422 Invalid: nodeSelector", invalid=True)],
    )
    plan = decide(observed, SETTINGS, cluster.now)
    assert (plan.create, plan.replace, plan.delete) == ((), (), ())
    accepted = plan.status.condition("Accepted")
    assert accepted is not None
    assert "nodeSelector" in accepted.message


def test_a_field_that_a_later_version_adds_starts_no_new_run() -> None:
    class LaterTraining(Training):
        novelty: int = 1

    job = make_job()
    assert wanted_hash(changed(job, training=LaterTraining()), 1) == wanted_hash(job, 1)
    assert wanted_hash(changed(job, training=LaterTraining(novelty=2)), 1) != wanted_hash(job, 1)


def test_other_code_starts_a_new_run_and_the_same_at_another_address_does_not() -> None:
    job = make_job()
    mine = Code(uri="file:///mine.zip", sha256="1" * 64)
    moved = Code(uri="configmap://mine/code.zip", sha256="1" * 64)
    other = Code(uri="file:///mine.zip", sha256="2" * 64)
    hashes = [wanted_hash(changed(job, code=code), 1) for code in (mine, moved, other)]

    assert wanted_hash(job, 1) != hashes[0] == hashes[1] != hashes[2]


def test_messages_of_any_length_fit_into_status() -> None:
    cluster = FakeCluster(make_job(workers={"replicas": 128}))
    cluster.settle()
    for name, pod in cluster.pods.items():
        cluster.pods[name] = replace(
            pod, waiting_reason="Unschedulable", waiting_message="0/9 nodes " * 9
        )
    cluster.settle()
    assert len(cluster.stage("Train").message) < 1000
    assert "and 120 more" in cluster.stage("Train").message
    for name, pod in cluster.pods.items():
        cluster.pods[name] = replace(pod, waiting_message="0/9 nodes " * 9000)
    cluster.settle()
    running = cluster.job.status.condition("Running")
    assert running is not None
    assert len(running.message) <= 32768
    assert len(cluster.stage("Train").message) <= 32768
