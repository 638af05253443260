"""Jobs on a real API server, as their users see them through kubectl."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster, wait_for
from tests.integration.conftest import World, manifest
from tests.integration.fake_node import Outcome, PodId, good_outcome, serve_progress, train_message
from trainyard_api.status import Progress

FULL: dict[str, Any] = {"compression": {}, "serving": {}}


def test_a_job_goes_all_the_way_and_shows_in_get_describe_and_metrics(world: World) -> None:
    # Long enough to be seen running: what nobody could see is no event.
    world.node.outcome = lambda pod: replace(good_outcome(pod), after=2.0)
    world.apply(**FULL)
    world.wait_for_phase("Succeeded")
    row = world.cluster.kubectl("get", "tj", "fashion", "-n", world.namespace).splitlines()
    assert row[0].split() == ["NAME", "PHASE", "PROGRESS", "ACCURACY", "SIZE", "ENDPOINT", "AGE"]
    for cell in ("Succeeded", "0.9", "100", f"http://fashion.{world.namespace}.svc:8080"):
        assert cell in row[1]
    told = world.cluster.kubectl("describe", "tj", "fashion", "-n", world.namespace)
    for reason in ("Trained", "Evaluated", "WinnerFound", "Serving", "Succeeded"):
        assert reason in told
    url = f"http://127.0.0.1:{world.operator.port}/metrics"
    metrics = urllib.request.urlopen(url, timeout=5).read().decode()
    assert 'trainyard_jobs{phase="Succeeded"} 1.0' in metrics


def test_explain_reads_well(cluster: Cluster) -> None:
    said = cluster.kubectl("explain", "tj.spec.compression")
    assert "Accuracy that a candidate may lose" in said
    assert "The candidates to make" in said


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    world.apply(**FULL)
    world.wait_for_phase("Succeeded")
    time.sleep(2)
    before = world.job()["metadata"]["resourceVersion"]
    time.sleep(4)
    assert world.job()["metadata"]["resourceVersion"] == before


def test_live_progress_comes_from_the_chief(world: World) -> None:
    world.node.outcome = lambda _: None
    progress = Progress(percent=42, epoch=3, epochs=5, step=940, metrics={"loss": 0.31})
    server = serve_progress(progress)
    try:
        world.apply()
        shown = wait_for(
            "progress", lambda: world.status().get("progress", {}).get("percent") == 42
        )
        assert shown
        assert world.status()["progress"]["metrics"] == {"loss": 0.31}
    finally:
        server.shutdown()
        server.server_close()


def test_a_failing_gate_rolls_nothing_out(world: World) -> None:
    world.node.outcome = lambda _: Outcome(message=train_message(accuracy=0.5))
    world.apply(**FULL, evaluation={"gates": [{"metric": "accuracy", "minimum": 0.85}]})
    world.wait_for_phase("Failed")
    assert "accuracy 0.5000 is below the minimum 0.85" in world.condition("Failed")["message"]
    assert world.cluster.list("deployments", world.namespace) == []


def test_a_failed_worker_restarts_the_gang_and_the_job_succeeds(world: World) -> None:
    def outcome(pod: PodId) -> Outcome:
        return Outcome(1, "boom") if pod.attempt == 1 and pod.index == 1 else good_outcome(pod)

    world.node.outcome = lambda pod: None if pod.attempt == 1 and pod.index == 0 else outcome(pod)
    world.apply()
    status = world.wait_for_phase("Succeeded")
    assert status["restarts"] == {"program": 1, "infrastructure": 0}
    assert sorted(name[-3:] for name in world.node.seen) == ["1-0", "1-1", "2-0", "2-1"]


def test_an_eviction_costs_no_retry(world: World) -> None:
    world.node.outcome = lambda pod: None if pod.attempt == 1 else good_outcome(pod)
    world.apply(runPolicy={"backoffLimit": 0})
    wait_for("the gang to run", lambda: world.condition("Running").get("status") == "True")
    world.node.disrupt(world.pods()[1]["metadata"]["name"], "EvictionByEvictionAPI")
    status = world.wait_for_phase("Succeeded")
    assert status["restarts"] == {"program": 0, "infrastructure": 1}


def test_an_image_that_cannot_be_pulled_is_told_within_seconds(world: World) -> None:
    world.node.outcome = lambda _: Outcome(waiting="ErrImagePull", message="not found")
    world.apply(workers={"replicas": 1, "image": "nowhere/none:1"})
    told = wait_for(
        "the reason", lambda: world.condition("Running").get("reason") == "ErrImagePull"
    )
    assert told
    message = world.condition("Running")["message"]
    assert "nowhere/none:1" in message
    assert "spec.workers.image" in message


def test_a_program_of_ones_own_needs_no_data_no_model_and_no_result(world: World) -> None:
    world.node.outcome = lambda _: Outcome()
    workers = {"replicas": 2, "image": "mine:1", "command": ["python", "train.py"]}
    world.cluster.apply(bare("mine", workers), world.namespace)
    world.wait_for_phase("Succeeded", "mine")
    assert "reported no result" in world.condition("Trained", "mine")["message"]
    stored = world.job("mine")["spec"]
    assert not {"data", "model"} & stored.keys(), "nothing is filled in"


@pytest.mark.parametrize("workers", [{"replicas": 1}, {"replicas": 1, "command": None}])
def test_our_trainer_is_refused_without_data_by_the_api_server(
    world: World, workers: dict[str, object]
) -> None:
    said = world.cluster.refusal(bare("ours", workers), world.namespace)
    assert "data is required: what to learn from" in said
    assert "model is required: what learns" in said


def test_pods_of_a_converted_tfjob_are_taken_by_the_api_server(world: World) -> None:
    world.node.outcome = lambda _: Outcome()
    world.cluster.kubectl("create", "serviceaccount", "trainer", "-n", world.namespace)
    world.cluster.kubectl("create", "priorityclass", "batch", "--value=1000")
    tfjobs = Path(__file__).parents[1] / "unit" / "cli" / "tfjobs"
    world.cluster.apply(
        (tfjobs / "converted" / "multi-worker-gpu.yaml").read_text(), world.namespace
    )
    world.wait_for_phase("Succeeded", "multi-worker")
    assert world.pods()[0]["spec"]["initContainers"][1]["restartPolicy"] == "Always"


def bare(name: str, workers: dict[str, object]) -> str:
    """A job with nothing but workers."""
    document = json.loads(manifest(name, workers=workers))
    document["spec"] = {"workers": workers}
    return json.dumps(document)


def test_two_jobs_cannot_claim_one_serving_name(world: World) -> None:
    world.node.outcome = lambda _: None
    world.apply("first", serving={"name": "shared"})
    wait_for("the first", lambda: world.cluster.get("service", "shared", world.namespace))
    world.apply("second", serving={"name": "shared"})
    world.wait_for_phase("Failed", "second")
    assert "spec.serving.name" in world.condition("Accepted", "second")["message"]
    assert world.pods("trainyard.dev/job=second") == []
    assert world.status("first")["phase"] == "Training"


def test_what_is_not_built_is_refused_with_a_condition(world: World) -> None:
    world.apply(explanation={})
    world.wait_for_phase("Failed")
    assert "spec.explanation" in world.condition("Accepted")["message"]
    assert world.pods() == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"trainig": {}}, 'unknown field "spec.trainig"'),
        ({"training": {"epochs": 0}}, "greater than or equal to 1"),
        ({"training": {"epochs": "many"}}, "must be of type integer"),
        ({"workers": {"replicas": -1}}, "greater than or equal to 1"),
        (
            {"workers": {"replicas": 9}, "training": {"batchSize": 4}},
            "make it at least workers.replicas",
        ),
        (
            {"evaluation": {"metrics": ["accuracy"], "gates": [{"metric": "f1", "minimum": 1.0}]}},
            "add it to evaluation.metrics",
        ),
        ({"evaluation": {"gates": [{"metric": "f1"}]}}, "a gate needs a bound"),
        ({"model": {"architecture": "transformer"}}, "supported values"),
        ({"data": {"split": {"validation": 0.5, "test": 0.5}}}, "spec.data.source"),
        ({"training": {"stepsPerExecution": -1}}, "must be auto"),
    ],
)
def test_the_api_server_refuses_what_is_wrong(
    cluster: Cluster, spec: dict[str, Any], said: str
) -> None:
    assert said in cluster.refusal(manifest(**spec), "default")


def test_a_name_too_long_for_pods_is_refused(cluster: Cluster) -> None:
    assert "at most 38 characters" in cluster.refusal(manifest("a" * 39), "default")


def test_workers_change_only_while_suspended(world: World) -> None:
    world.node.outcome = lambda _: None
    world.apply()
    wait_for("the gang to run", lambda: world.condition("Running").get("status") == "True")
    said = world.cluster.refusal(manifest(workers={"replicas": 3}), world.namespace)
    assert "runPolicy.suspend" in said
    world.apply(runPolicy={"suspend": True})
    world.wait_for_phase("Suspended")
    wait_for("no pods", lambda: not world.pods())
    world.node.outcome = good_outcome
    world.apply(workers={"replicas": 3})
    assert world.wait_for_phase("Succeeded")["restarts"] == {"program": 0, "infrastructure": 0}
    assert len({name for name in world.node.seen if "-train-2-" in name}) == 3


def test_a_changed_port_reaches_service_and_url(world: World) -> None:
    world.apply(**FULL)
    world.wait_for_phase("Succeeded")
    world.apply(compression={}, serving={"port": 9000})

    def moved() -> bool:
        service = world.cluster.get("service", "fashion", world.namespace)
        url = world.status().get("serving", {}).get("url", "")
        ports = [port["port"] for port in service.get("spec", {}).get("ports", [])]
        return ports == [9000] and url.endswith(":9000")

    wait_for("the port", moved)
    deployment = world.cluster.list("deployments", world.namespace)
    assert len(deployment) == 1, "no new revision for a port"


def test_what_the_api_server_refuses_fails_the_job_in_its_words(world: World) -> None:
    world.apply(workers={"replicas": 1, "resources": {"limits": {"memory": "4GB"}}})
    world.wait_for_phase("Failed")
    message = world.condition("Failed")["message"]
    assert "Pod/fashion-" in message
    assert "quantities must match" in message
    assert world.pods() == []


def test_a_quota_is_told_and_waited_for(world: World) -> None:
    quota = ("create", "quota", "none", "--hard=pods=0", "-n", world.namespace)
    world.cluster.kubectl(*quota)
    world.apply(workers={"replicas": 1})
    wait_for(
        "the reason", lambda: "exceeded quota" in world.condition("Running").get("message", "")
    )
    assert world.status()["phase"] == "Training"
    world.cluster.kubectl("delete", "quota", "none", "-n", world.namespace)
    world.wait_for_phase("Succeeded", seconds=90)
