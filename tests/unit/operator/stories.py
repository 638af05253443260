"""How far a job has come when something happens to it."""

from __future__ import annotations

from typing import Any

from tests.unit.operator.fake_cluster import (
    FakeCluster,
    compress_message,
    make_job,
    train_message,
)
from trainyard_api.spec import Serving


def start(cluster: FakeCluster) -> None:
    """Let the pods of the stage that follows be created, and run."""
    cluster.settle()
    cluster.run_all()
    cluster.settle()


def fail_all(cluster: FakeCluster, exit_code: int) -> None:
    """Let all pods that work fail."""
    for name, pod in cluster.pods.items():
        if not pod.finished:
            cluster.change(name, phase="Failed", exit_code=exit_code)
    cluster.settle()


def running(**spec: Any) -> FakeCluster:
    cluster = FakeCluster(make_job(**spec))
    start(cluster)
    return cluster


def rolling_out(**spec: Any) -> FakeCluster:
    cluster = FakeCluster(make_job(**{"serving": {}, **spec}))
    train_and_compress(cluster)
    assert cluster.phase == "RollingOut"
    return cluster


def train_and_compress(cluster: FakeCluster) -> None:
    for message in (train_message(), compress_message()):
        start(cluster)
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
