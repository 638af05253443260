"""A program of one's own that says nothing of what it has done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.operator.fake_cluster import FakeCluster, changed, make_job, train_message
from trainyard_api.names import ANNOTATION_RETRAIN
from trainyard_api.problems import parse_job_object
from trainyard_api.spec import Serving, TrainingJob

PROGRAM = {"replicas": 2, "image": "mine:1", "command": ["python", "train.py"]}


def bare_job() -> TrainingJob:
    """A job with nothing but the program."""
    return parse_job_object(
        {
            "apiVersion": "trainyard.dev/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": "fashion", "namespace": "default", "uid": "u-1"},
            "spec": {"workers": PROGRAM},
        }
    )


def ended(job: TrainingJob, message: str) -> FakeCluster:
    """A cluster in which the program of worker 0 has ended well."""
    cluster = FakeCluster(job)
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    chief = next(pod.name for pod in cluster.pods.values() if pod.index == 0)
    cluster.change(chief, phase="Succeeded", exit_code=0, message=message)
    cluster.settle()
    return cluster


def message_of(cluster: FakeCluster, condition: Any) -> str:
    found = cluster.condition(condition)
    assert found is not None
    return found[2]


@pytest.mark.parametrize("message", ["", "Epoch 3/3 done\n"])
def test_it_has_succeeded_where_nothing_asks_for_a_result(message: str) -> None:
    cluster = ended(bare_job(), message)
    status = cluster.job.status
    assert status.phase == "Succeeded"
    assert cluster.stage("Train").state == "Succeeded"
    assert "ended well and reported no result" in message_of(cluster, "Trained")
    assert "docs/own-program.md" in message_of(cluster, "Trained")
    assert ANNOTATION_RETRAIN in message_of(cluster, "Trained")
    assert message_of(cluster, "Succeeded") == "the program ended well"
    assert status.evaluation is None
    assert status.artifacts.model is None
    assert status.restarts.program == 0


def test_what_it_reports_is_taken_up_all_the_same() -> None:
    cluster = ended(bare_job(), train_message())
    assert cluster.job.status.phase == "Succeeded"
    assert cluster.job.status.evaluation is not None
    assert message_of(cluster, "Succeeded") == "trained and evaluated"


def test_a_document_that_is_wrong_is_no_silence() -> None:
    cluster = ended(bare_job(), '{"train": {"metrics": {}}}')
    failed = cluster.condition("Failed")
    assert failed is not None
    assert failed[1] == "InvalidResult"
    assert "train.model is required" in failed[2]
    assert "write none" in failed[2]


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ({"serving": {}}, "spec.serving needs the model it was to report"),
        ({"compression": {}}, "spec.compression needs the model it was to report"),
        (
            {"evaluation": {"gates": [{"metric": "f1", "minimum": 0.5}]}},
            "spec.evaluation.gates needs the metrics it was to report",
        ),
    ],
)
def test_who_asks_for_a_result_is_named_where_there_is_none(
    spec: dict[str, Any], asked: str
) -> None:
    cluster = ended(make_job(workers=PROGRAM, **spec), "")
    failed = cluster.condition("Failed")
    assert failed is not None
    assert failed[1] == "InvalidResult"
    assert "it is empty" in failed[2]
    assert asked in failed[2]


def test_an_image_that_runs_our_trainer_has_to_report() -> None:
    cluster = ended(make_job(workers={"replicas": 2, "image": "mine:1"}), "")
    assert "spec.workers.command" in message_of(cluster, "Failed")


def test_serving_that_comes_after_the_end_is_told_what_it_lacks() -> None:
    cluster = ended(make_job(workers=PROGRAM), "")
    assert cluster.job.status.phase == "Succeeded"
    cluster.job = changed(cluster.job, serving=Serving())
    cluster.settle()
    failed = cluster.condition("Failed")
    assert failed is not None
    assert failed[1] == "InvalidResult"
    assert "spec.serving needs the model it was to report" in failed[2]
    assert ANNOTATION_RETRAIN in failed[2]
