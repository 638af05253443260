"""A real node: images that were just built, the chart installed, jobs that really train."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cluster import Cluster, Object, started_cluster, wait_for

NAME = "e2e"
SYSTEM = "trainyard-system"
ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(1500 if item is items[0] else 600))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with started_cluster(NAME) as cluster:
        install(cluster)
        yield cluster


def install(cluster: Cluster) -> None:
    """Build and push the images, and install the chart as a user would."""
    assert cluster.registry is not None
    build = [
        sys.executable,
        "-m",
        "trainyard_images",
        "build",
        "--push",
        cluster.registry,
        "--json",
    ]
    values = subprocess.run(build, stdout=subprocess.PIPE, check=True).stdout
    helm = [str(cluster.programs / "helm"), "--kubeconfig", str(cluster.kubeconfig)]
    subprocess.run(
        [
            *helm,
            *("upgrade", "--install", "trainyard", str(ROOT / "charts" / "trainyard")),
            *("--namespace", SYSTEM, "--create-namespace", "--wait", "--timeout", "3m"),
            *("--values", "-"),
            *("--set", "extraEnv[0].name=TRAINYARD_BACKOFF_SECONDS"),
            *("--set-string", "extraEnv[0].value=1"),
        ],
        input=values,
        check=True,
    )


@dataclass
class Namespace:
    """A namespace under `restricted` Pod Security, with a store and a place for data."""

    cluster: Cluster
    name: str
    data: Path
    """Folder of the claim `datasets`."""

    def apply(self, name: str, **spec: object) -> None:
        self.cluster.apply(digits(name, **spec), self.name)

    def status(self, name: str) -> Object:
        status: Object = self.cluster.get("tj", name, self.name).get("status", {})
        return status

    def condition(self, name: str, kind: str) -> Object:
        conditions = self.status(name).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def wait_for_phase(self, name: str, phase: str, seconds: float = 240) -> Object:
        def look() -> Object | None:
            status = self.status(name)
            if status.get("phase") == "Failed" != phase:
                raise AssertionError(f"{name} has failed: {status}")
            return status if status.get("phase") == phase else None

        return wait_for(f"{name} to be {phase}", look, seconds, pause=0.5)

    def pod(self, name: str) -> Object:
        return self.cluster.get("pod", name, self.name)


def digits(name: str, **spec: object) -> str:
    """A job on data that the trainer's image brings along."""
    document = {
        "apiVersion": "trainyard.dev/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {"name": name},
        "spec": {
            "data": {"source": {"uri": "sklearn://digits"}, "preprocessing": {"scaling": "minmax"}},
            "model": {"architecture": "dense"},
            "workers": {"replicas": 2},
            **spec,
        },
    }
    return yaml.safe_dump(document)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    name = f"e2e-{next(_numbers)}"
    cluster.kubectl("create", "namespace", name)
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", name, enforce)
    folders = {claim: volume(claim, name) for claim in ("datasets", "trainyard-artifacts")}
    yield Namespace(cluster, name, folders["datasets"])
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def volume(claim: str, namespace: str) -> Path:
    """A claim that a folder of this machine stands behind."""
    command = [sys.executable, "-m", "trainyard_local", "volume", claim]
    made = subprocess.run(
        [*command, "--namespace", namespace, "--name", NAME],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(made.stdout.strip())


def termination(pod: Object) -> Object:
    """What a pod left behind."""
    state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    document: Object = json.loads(state["message"])
    return document
