"""A real API server with a real garbage collector; the operator as it ships; pods are played."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import Cluster, Object, Operator, started_cluster, wait_for
from tests.integration.fake_node import FakeNode

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with started_cluster("integration", "--control-plane-only") as cluster:
        cluster.install_crd()
        yield cluster


@dataclass
class World:
    """A namespace of its own with an operator and a node that plays pods."""

    cluster: Cluster
    namespace: str
    node: FakeNode
    operator: Operator

    def apply(self, name: str = "fashion", **spec: object) -> None:
        self.cluster.apply(manifest(name, **spec), self.namespace)

    def job(self, name: str = "fashion") -> Object:
        return self.cluster.get("tj", name, self.namespace)

    def status(self, name: str = "fashion") -> Object:
        status: Object = self.job(name).get("status", {})
        return status

    def wait_for_phase(self, phase: str, name: str = "fashion", seconds: float = 40) -> Object:
        def look() -> Object | None:
            status = self.status(name)
            return status if status.get("phase") == phase else None

        try:
            return wait_for(f"{name} to be {phase}", look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status(name)}") from error

    def condition(self, kind: str, name: str = "fashion") -> Object:
        conditions = self.status(name).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def pods(self, selector: str = "trainyard.dev/job") -> list[Object]:
        return self.cluster.list("pods", self.namespace, "-l", selector)


def manifest(name: str = "fashion", **spec: object) -> str:
    """A job as YAML (JSON is YAML)."""
    return json.dumps(
        {
            "apiVersion": "trainyard.dev/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": name},
            "spec": {
                "data": {"source": {"uri": "pvc://datasets/fashion"}},
                "model": {"architecture": "cnn"},
                "workers": {"replicas": 2},
                **spec,
            },
        }
    )


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    namespace = f"test-{next(_numbers)}"
    cluster.kubectl("create", "namespace", namespace)
    node = FakeNode(cluster.kubeconfig, namespace)
    settings = {"TRAINYARD_WATCH_NAMESPACE": namespace}
    operator = Operator(cluster, tmp_path / "operator.log", settings)
    operator.start()
    operator.wait()
    node.start()
    yield World(cluster, namespace, node, operator)
    code = operator.stop()
    node.stop()
    cluster.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
    print((tmp_path / "operator.log").read_text())  # is shown where a test has failed
    assert code == 0
