"""The chart, by helm itself and by the API server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cluster import Cluster

CHART = Path(__file__).parents[2] / "charts" / "trainyard"


def helm(cluster: Cluster, *arguments: str) -> str:
    """What helm prints; where it fails, the test fails with its words."""
    command = [str(cluster.programs / "helm"), "--kubeconfig", str(cluster.kubeconfig)]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_helm_lint_finds_nothing(cluster: Cluster) -> None:
    assert "0 chart(s) failed" in helm(cluster, "lint", "--strict", str(CHART))


def test_the_api_server_takes_the_chart_and_its_upgrade(cluster: Cluster) -> None:
    place = ("--namespace", "chart", "--create-namespace")
    without_crd = ("--set", "crds.install=false")
    helm(cluster, "install", "trainyard", str(CHART), *place, *without_crd)
    upgrade = ("--set", "resources.limits.memory=1Gi", "--set", "watchNamespace=team")
    cluster.kubectl("create", "namespace", "team")
    helm(cluster, "upgrade", "trainyard", str(CHART), *place, *without_crd, *upgrade)
    assert cluster.get("rolebinding", "trainyard", "team")
    helm(cluster, "uninstall", "trainyard", "--namespace", "chart")
