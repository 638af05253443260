"""An endpoint leads to what is ready, or says why there is nothing."""

from __future__ import annotations

from dataclasses import replace

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
    serving,
    train_and_compress,
)
from trainyard_api.spec import Serving
from trainyard_operator.brain.observed import Refusal

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


def test_all_that_a_gang_is_refused_is_said() -> None:
    cluster = FakeCluster(make_job())
    for kind in ("Service", "NetworkPolicy"):
        cluster.refuses[kind] = Refusal(kind, "x", f"no {kind} today", invalid=False)
    cluster.settle()
    said = cluster.condition("Running")
    assert said is not None
    assert said[:2] == ("False", "Forbidden")
    assert "no Service today" in said[2]
    assert "no NetworkPolicy today" in said[2]


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
