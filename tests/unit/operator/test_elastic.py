"""Elastic gangs: fewer workers where lost ones have no place, all of them when they have."""

from __future__ import annotations

import json

import pytest

from tests.unit.operator.fake_cluster import SETTINGS, FakeCluster, make_job, train_message
from trainyard_api.environment import PEERS, TF_CONFIG
from trainyard_api.peers import parse_peers
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.pods import build_workers

ELASTIC = {"replicas": 4, "minReplicas": 2}


def cluster_of(**workers: object) -> FakeCluster:
    cluster = FakeCluster(make_job(workers={**ELASTIC, **workers}))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    return cluster


def lose(cluster: FakeCluster, *indexes: int) -> None:
    """The nodes of some workers are gone, and the restart that follows has begun."""
    for name, pod in list(cluster.pods.items()):
        if pod.index in indexes and not pod.finished:
            cluster.change(name, phase="Failed", disruption="DeletionByTaintManager")
    cluster.settle()
    cluster.now += 5
    cluster.settle()


def place_all_but(cluster: FakeCluster, *indexes: int) -> None:
    """Every pod that waits gets a place, but for some."""
    for name, pod in list(cluster.pods.items()):
        if pod.phase != "Pending":
            continue
        if pod.index in indexes:
            cluster.change(name, waiting_reason="Unschedulable", waiting_message="0/3 nodes")
        else:
            cluster.change(name, phase="Running")
    cluster.settle()


def shrunk() -> FakeCluster:
    cluster = cluster_of()
    lose(cluster, 1)
    place_all_but(cluster, 1)
    cluster.now += 61
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    return cluster


def test_a_gang_goes_on_with_the_workers_that_have_a_place() -> None:
    cluster = cluster_of()
    lose(cluster, 1)
    place_all_but(cluster, 1)
    assert cluster.names() == ["train-2-0", "train-2-1", "train-2-2", "train-2-3"]
    cluster.now += 61
    cluster.settle()
    assert cluster.names() == ["train-3-0", "train-3-1", "train-3-2"]
    cluster.run_all()
    cluster.settle()
    stage = cluster.stage("Train")
    assert (stage.state, stage.workers) == ("Running", 3)
    assert cluster.condition("Running") == (
        "True",
        "FewerWorkers",
        "3 of 4 pods run; the others have no place for now",
    )
    assert "Shrinking" in cluster.events
    assert stage.restarts.infrastructure == 1, "going on with fewer is no failure"


def test_it_waits_as_long_as_it_is_told_to() -> None:
    cluster = cluster_of(elasticDelaySeconds=300)
    lose(cluster, 1)
    place_all_but(cluster, 1)
    cluster.now += 290
    cluster.settle()
    assert "train-2-1" in cluster.names()
    cluster.now += 11
    cluster.settle()
    assert cluster.names() == ["train-3-0", "train-3-1", "train-3-2"]


def test_it_does_not_go_on_with_fewer_than_its_minimum() -> None:
    cluster = cluster_of(minReplicas=3)
    lose(cluster, 1, 2)
    place_all_but(cluster, 1, 2)
    cluster.now += 200
    cluster.settle()
    assert len(cluster.names()) == 4
    assert cluster.stage("Train").workers is None


def test_a_gang_that_is_not_elastic_waits_for_all() -> None:
    cluster = cluster_of(minReplicas=None)
    lose(cluster, 1)
    place_all_but(cluster, 1)
    cluster.now += 200
    cluster.settle()
    assert len(cluster.names()) == 4


def test_a_gang_that_has_lost_nothing_begins_with_all() -> None:
    cluster = FakeCluster(make_job(workers=ELASTIC))
    cluster.settle()
    place_all_but(cluster, 3)
    cluster.now += 200
    cluster.settle()
    assert len(cluster.names()) == 4


def test_it_grows_back_when_there_is_a_place_for_all() -> None:
    cluster = shrunk()
    cluster.now += 61
    cluster.settle()
    assert cluster.names() == ["train-3-0", "train-3-1", "train-3-2", "train-4-3"]
    place_all_but(cluster, 3)
    assert cluster.stage("Train").state == "Running", "it trains on meanwhile"
    cluster.run_all()
    cluster.step()
    assert "train-4-3" in cluster.names()
    assert "Growing" in cluster.events
    cluster.settle()
    assert cluster.names() == ["train-4-0", "train-4-1", "train-4-2", "train-4-3"]
    cluster.run_all()
    cluster.settle()
    stage = cluster.stage("Train")
    assert (stage.workers, stage.attempts, stage.restarts.infrastructure) == (None, 4, 1)
    assert cluster.condition("Running") == ("True", "PodsRunning", "all 4 pods run")


def test_those_that_stand_by_are_given_up_where_the_rest_finds_no_place() -> None:
    cluster = cluster_of()
    lose(cluster, 1, 2)
    place_all_but(cluster, 1, 2)
    cluster.now += 61
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.now += 61
    cluster.settle()
    assert {"train-4-2", "train-4-3"} < set(cluster.names())
    place_all_but(cluster, 3)
    cluster.now += 601
    cluster.settle()
    assert cluster.names() == ["train-3-0", "train-3-1"], "a GPU is held by nobody for nothing"
    cluster.now += 601
    cluster.settle()
    assert len(cluster.names()) == 4


def test_a_small_gang_that_loses_again_shrinks_again() -> None:
    cluster = shrunk()
    lose(cluster, 2)
    place_all_but(cluster, 2)
    cluster.now += 61
    cluster.settle()
    assert cluster.names() == ["train-5-0", "train-5-1"]


def test_those_that_stand_by_go_with_the_attempt_that_fails() -> None:
    cluster = shrunk()
    cluster.now += 61
    cluster.settle()
    place_all_but(cluster, 3)
    lose(cluster, 0)
    assert cluster.names() == ["train-4-0", "train-4-1", "train-4-2"]


def test_suspending_frees_those_that_stand_by_and_resuming_begins_with_all() -> None:
    cluster = shrunk()
    cluster.now += 61
    cluster.settle()
    policy = cluster.job.spec.runPolicy
    cluster.edit(runPolicy=policy.model_copy(update={"suspend": True}))
    cluster.settle()
    assert cluster.names() == []
    cluster.edit(runPolicy=policy)
    cluster.settle()
    assert len(cluster.names()) == 4


def test_a_result_of_a_small_gang_is_a_result() -> None:
    cluster = shrunk()
    cluster.now += 61
    cluster.settle()
    for name, pod in list(cluster.pods.items()):
        if pod.attempt == 3:
            cluster.change(name, phase="Succeeded", exit_code=0, message=train_message())
    cluster.settle()
    assert cluster.phase == "Succeeded"
    assert cluster.names() == []


def _variables(pod: Manifest) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in pod["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize("command", [None, ["python", "train.py"]])
def test_workers_know_of_as_many_peers_as_there_are(command: list[str] | None) -> None:
    job = make_job(workers={**ELASTIC, "command": command})
    (pod,) = build_workers(job, "1-5f3a9c", 3, [1], SETTINGS, size=3)
    variables = _variables(pod)
    if command is None:
        assert parse_peers(variables[PEERS]).count == 3
    else:
        assert len(json.loads(variables[TF_CONFIG])["cluster"]["worker"]) == 3
