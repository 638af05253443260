"""Whatever happens to a job harms nothing: neither what runs, nor what serves, nor a result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from trainyard_api.names import ANNOTATION_REDEPLOY
from trainyard_api.spec import Explanation, Serving
from trainyard_api.status import TrainingJobStatus
from trainyard_operator.brain.observed import PodView, Refusal
from trainyard_operator.build.deployments import build_deployment
from trainyard_operator.build.pods import build_compressor


def running(**spec: Any) -> FakeCluster:
    cluster = FakeCluster(make_job(**spec))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    return cluster


def rolling_out(**spec: Any) -> FakeCluster:
    cluster = FakeCluster(make_job(**{"serving": {}, **spec}))
    train_and_compress(cluster)
    assert cluster.phase == "RollingOut"
    return cluster


def train_and_compress(cluster: FakeCluster) -> None:
    for message in (train_message(), compress_message()):
        cluster.settle()
        cluster.run_all()
        cluster.settle()
        cluster.finish_all(message)
    cluster.settle()


def retrain(cluster: FakeCluster) -> None:
    """Ask for another model, and bring it up to its rollout."""
    cluster.edit(training=cluster.job.spec.training.model_copy(update={"epochs": 9}))
    train_and_compress(cluster)
    assert cluster.phase == "RollingOut"


def serving(cluster: FakeCluster, **fields: object) -> Serving:
    assert cluster.job.spec.serving is not None
    return cluster.job.spec.serving.model_copy(update=fields)


def leads_to_ready(cluster: FakeCluster) -> bool:
    """Whether the endpoint's Service leads to a revision that is ready."""
    services = [s for s in cluster.services.values() if s.stage == "serve"]
    return any(
        deployment.run == service.run and deployment.ready_replicas > 0
        for service in services
        for deployment in cluster.deployments.values()
    )


# After any end, the Service leads to a revision that is ready, or the condition says that none is.


def routed_but_not_finished(served_before: bool) -> FakeCluster:
    """The Service leads to the new revision, and the next decision is still to come."""
    cluster = FakeCluster(
        make_job(compression={}, serving={}, runPolicy={"activeDeadlineSeconds": 5000})
    )
    if served_before:
        cluster.succeed()
        retrain(cluster)
        cluster.ready_all()
        cluster.step()
    else:
        train_and_compress(cluster)
    assert cluster.services["fashion"].run == cluster.run_hash
    assert cluster.stage("Serve").state == "Running"
    return cluster


@pytest.mark.parametrize("served_before", [False, True])
def test_a_rollout_that_is_done_is_taken_up_before_the_deadline_is_looked_at(
    served_before: bool,
) -> None:
    cluster = routed_but_not_finished(served_before)
    cluster.ready_all()
    cluster.now += 6000
    cluster.settle()
    assert cluster.phase == "Succeeded"
    assert leads_to_ready(cluster)


@pytest.mark.parametrize("served_before", [False, True])
def test_a_job_that_fails_after_it_has_led_traffic_on_leads_it_back(served_before: bool) -> None:
    cluster = routed_but_not_finished(served_before)
    candidate = f"fashion-{cluster.run_hash}"
    unready = replace(cluster.deployments[candidate], ready_replicas=0, current=False)
    cluster.deployments[candidate] = unready
    cluster.now += 6000
    cluster.settle()
    assert cluster.phase == "Failed"
    assert cluster.stage("Serve").state == "Failed"
    assert candidate not in cluster.deployments
    said = cluster.condition("Serving")
    assert said is not None
    if served_before:
        assert leads_to_ready(cluster)
        assert said[0] == "True"
    else:
        assert said[:2] == ("False", "NoRevision")


def test_traffic_is_led_back_before_the_candidate_goes() -> None:
    cluster = routed_but_not_finished(True)
    candidate = f"fashion-{cluster.run_hash}"
    unready = replace(cluster.deployments[candidate], ready_replicas=0, current=False)
    cluster.deployments[candidate] = unready
    cluster.now += 6000
    first = cluster.step()
    assert [m["kind"] for m in first.replace] == ["Service"]
    assert first.delete == ()
    second = cluster.step()
    assert [ref.name for ref in second.delete] == [candidate]


def test_a_field_that_is_not_built_harms_no_rollout_under_way() -> None:
    cluster = routed_but_not_finished(True)
    cluster.edit(serving=serving(cluster, backend="kserve"))
    cluster.settle()
    assert leads_to_ready(cluster)
    assert cluster.condition("Accepted") is not None
    assert cluster.condition("Accepted")[0] == "False"  # type: ignore[index]


def test_serving_is_false_while_no_replica_is_ready(cluster: FakeCluster) -> None:
    cluster.succeed()
    assert cluster.condition("Serving")[0] == "True"  # type: ignore[index]
    [name] = cluster.deployments
    cluster.deployments[name] = replace(
        cluster.deployments[name], ready_replicas=0, current=False, trouble="exceeded quota: pods"
    )
    cluster.settle()
    said = cluster.condition("Serving")
    assert said is not None
    assert said[0] == "False"
    assert "exceeded quota" in said[2]
    assert cluster.job.status.serving is not None
    assert cluster.job.status.serving.readyReplicas == 0
    cluster.ready_all()
    cluster.settle()
    assert cluster.condition("Serving")[0] == "True"  # type: ignore[index]


# A Deployment that never comes to be.


@pytest.mark.parametrize("invalid", [True, False])
def test_a_refused_deployment_says_so_and_is_given_up_in_time(invalid: bool) -> None:
    cluster = FakeCluster(make_job(serving={}))
    cluster.refuses["Deployment"] = Refusal("Deployment", "fashion-x", "denied: no team", invalid)
    train_and_compress(cluster)
    if not invalid:
        assert cluster.phase == "RollingOut"
        assert "denied: no team" in cluster.condition("Serving")[2]  # type: ignore[index]
        assert "denied: no team" in cluster.stage("Serve").message
        writes = 0
        for _ in range(10):
            cluster.now += 29
            before = cluster.job.status
            cluster.settle()
            writes += cluster.job.status != before
        assert writes == 0, "nothing new is said every minute"
        cluster.now += 20
        cluster.settle()
    assert cluster.phase == "Failed"
    assert "denied: no team" in cluster.condition("Failed")[2]  # type: ignore[index]
    assert cluster.condition("Serving")[0] == "False"  # type: ignore[index]


@pytest.mark.parametrize("invalid", [True, False])
def test_what_answers_and_may_not_be_changed_answers_on_and_says_why(invalid: bool) -> None:
    cluster = FakeCluster(make_job(compression={}, serving={}))
    cluster.succeed()
    cluster.refuses["Deployment"] = Refusal("Deployment", "x", "exceeded quota: cpu", invalid)
    cluster.edit(serving=Serving(replicas=4))
    cluster.settle()
    status, _, said = cluster.condition("Serving")  # type: ignore[misc]
    assert (status, cluster.phase) == ("True", "Succeeded")
    assert ":predict; but" in said
    assert "exceeded quota: cpu" in said
    assert cluster.events.count("Forbidden") == 1
    cluster.refuses.clear()
    cluster.settle()
    cluster.ready_all()
    cluster.settle()
    assert cluster.condition("Serving")[2].endswith(":predict")  # type: ignore[index]


def test_a_deployment_whose_name_is_somebody_elses_says_so() -> None:
    cluster = FakeCluster(make_job(serving={}))
    cluster.settle()
    cluster.foreign = {f"Deployment/fashion-{cluster.run_hash}"}
    train_and_compress(cluster)
    assert "belongs to something else" in cluster.condition("Serving")[2]  # type: ignore[index]
    cluster.now += 301
    cluster.settle()
    assert cluster.phase == "Failed"


@pytest.mark.parametrize("invalid", [True, False])
def test_a_gang_whose_service_is_refused_says_so(invalid: bool) -> None:
    cluster = FakeCluster(make_job())
    cluster.step()
    [name] = cluster.services
    cluster.services.clear()
    cluster.pods.clear()
    refusal = Refusal("Service", name, "exceeded quota: services", invalid)
    cluster.refuses["Service"] = refusal
    cluster.settle()
    assert cluster.phase == ("Failed" if invalid else "Training")
    said = cluster.condition("Failed" if invalid else "Running")
    assert said is not None
    assert "exceeded quota: services" in said[2]


@pytest.mark.parametrize("invalid", [True, False])
def test_an_endpoint_whose_name_cannot_be_claimed_says_so(invalid: bool) -> None:
    cluster = FakeCluster(make_job(serving={}))
    refusal = Refusal("Service", "fashion", "exceeded quota: services", invalid)
    cluster.refuses["Service"] = refusal
    cluster.settle()
    assert cluster.phase == ("Failed" if invalid else "Pending")
    said = cluster.condition("Failed" if invalid else "Running")
    assert said is not None
    assert "exceeded quota: services" in said[2]
    assert cluster.pods == {}
    cluster.refuses.clear()
    cluster.refused.clear()
    cluster.settle()
    assert cluster.phase == "Training"


def test_an_endpoint_that_can_never_be_claimed_fails_what_has_begun_at_its_rollout() -> None:
    cluster = running()
    cluster.refuses["Service"] = Refusal("Service", "fashion", "no such class", invalid=True)
    cluster.edit(serving=Serving())
    train_and_compress(cluster)
    assert cluster.stage("Compress").state == "Succeeded"
    assert cluster.phase == "Failed"
    assert "no such class" in cluster.condition("Failed")[2]  # type: ignore[index]


@pytest.mark.parametrize("invalid", [True, False])
def test_a_rollout_that_traffic_cannot_be_led_to_is_given_up_in_time(invalid: bool) -> None:
    cluster = FakeCluster(make_job(compression={}, serving={}))
    cluster.succeed()
    old = cluster.run_hash
    retrain(cluster)
    refusal = Refusal("Service", "fashion", "denied: no changes today", invalid)
    cluster.refuses["Service"] = refusal
    cluster.ready_all()
    for seconds in (0, 0 if invalid else 301):
        cluster.now += seconds
        cluster.ready_all()
        for _ in range(4):
            cluster.step()
    assert cluster.phase == "Failed"
    assert "denied: no changes today" in cluster.condition("Failed")[2]  # type: ignore[index]
    assert [d.run for d in cluster.deployments.values()] == [old]
    assert leads_to_ready(cluster)


def test_a_model_that_fails_its_gate_is_not_rolled_out_when_it_is_asked_for_again() -> None:
    gates = {"gates": [{"metric": "accuracy", "minimum": 0.95}]}
    cluster = running(evaluation=gates, compression={}, serving={})
    cluster.finish_all(train_message(accuracy=0.91))
    cluster.settle()
    assert cluster.condition("Failed")[1] == "GateFailed"  # type: ignore[index]
    for _ in range(2):
        cluster.retry = True
        cluster.step()
        cluster.retry = False
        cluster.settle()
    assert cluster.condition("Failed")[1] == "GateFailed"  # type: ignore[index]
    assert cluster.deployments == {}
    assert not [name for name in cluster.created if "compress" in name]


def test_a_revision_that_is_scaled_to_none_takes_nobodys_place(cluster: FakeCluster) -> None:
    cluster.succeed()
    old = cluster.run_hash
    retrain(cluster)
    name = f"fashion-{cluster.run_hash}"
    none = replace(cluster.deployments[name], replicas=0, current=True, autoscaled=True)
    cluster.deployments[name] = none
    cluster.settle()
    assert cluster.phase == "RollingOut"
    assert cluster.services["fashion"].run == old
    assert leads_to_ready(cluster)


def test_the_pods_of_the_old_name_do_not_answer_for_the_new_one(cluster: FakeCluster) -> None:
    cluster.succeed()
    cluster.edit(serving=serving(cluster, name="other"))
    cluster.services["fashion"] = replace(cluster.services["fashion"], run="", digest="edited")
    cluster.settle()
    assert cluster.condition("Serving")[:2] == ("False", "NoReadyReplica")  # type: ignore[index]


def test_the_old_name_serves_until_the_new_one_has_its_service(cluster: FakeCluster) -> None:
    cluster.succeed()
    cluster.refuses["Service"] = Refusal("Service", "other", "exceeded quota: services", False)
    cluster.edit(serving=serving(cluster, name="other"))
    for _ in range(4):
        cluster.step()
        cluster.ready_all()
    assert sorted(name.rpartition("-")[0] for name in cluster.deployments) == ["fashion", "other"]
    assert "fashion" in cluster.services
    cluster.refuses.clear()
    cluster.refused.clear()
    cluster.settle()
    assert [name.rpartition("-")[0] for name in cluster.deployments] == ["other"]
    assert [s.name for s in cluster.services.values() if s.stage == "serve"] == ["other"]


# Edits destroy no work.


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
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    for name, pod in cluster.pods.items():
        if not pod.finished:
            cluster.change(name, phase="Failed", exit_code=2)
    cluster.settle()
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
    cluster = FakeCluster(make_job(compression={}, runPolicy={"backoffLimit": 0}))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(train_message())
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    for name, pod in cluster.pods.items():
        if not pod.finished:
            cluster.change(name, phase="Failed", exit_code=1)
    cluster.settle()
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
    cluster.edit(data=data.model_copy(update={"task": "reconstruction"}))
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


# An older or newer operator never harms a job.


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
        build_compressor(job, "1-5f3a9c", 1, ARTIFACT, SETTINGS)["spec"]["containers"][0]["image"]
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
