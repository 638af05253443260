"""The demo's cluster: brought up, filled with images and data, the operator installed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from trainyard_cli.datasets.catalogue import KNOWN
from trainyard_cli.datasets.get import fetch_into
from trainyard_cli.demo.checkout import Checkout
from trainyard_cli.demo.programs import IMAGES, LOCAL, run_module, run_program
from trainyard_cli.kubectl import Kubectl
from trainyard_cli.show.transfer import Transfer

NAMESPACE = "default"
SYSTEM = "trainyard-system"
STORE = "trainyard-artifacts"
DATA = "datasets"
_POD_MAY_READ = 0o755


@dataclass(frozen=True)
class LocalCluster:
    """The local cluster as its own program describes it."""

    kubeconfig: Path
    registry: str
    programs: Path
    """Folder of kubectl and helm."""

    @property
    def kubectl(self) -> Kubectl:
        """kubectl for the demo's namespace."""
        program = str(self.programs / "kubectl")
        options = ("--kubeconfig", str(self.kubeconfig), "--namespace", NAMESPACE)
        return Kubectl((program, *options))

    def helm(self, *arguments: str, stdin: str | None = None) -> None:
        """Run helm."""
        command: list[str | Path] = [
            self.programs / "helm",
            "--kubeconfig",
            self.kubeconfig,
            *arguments,
        ]
        run_program(command, "helm", stdin)


def bring_up() -> LocalCluster:
    """Install what is missing, build and start the cluster.

    Raises:
        NoClusterHere: the machine does not allow one.
    """
    run_module(LOCAL, "up")
    status = json.loads(run_module(LOCAL, "status", "-o", "json"))
    return LocalCluster(
        Path(status["kubeconfig"]), str(status["registry"]), Path(status["bin_dir"])
    )


def build_images(cluster: LocalCluster) -> str:
    """Build the images and push them into the cluster; they are given as values for the chart."""
    return run_module(IMAGES, "build", "--push", cluster.registry, "--json")


def put_data() -> Path:
    """Volumes for data and artifacts, and the real data sets; the folder of the data."""
    run_module(LOCAL, "volume", STORE, "--namespace", NAMESPACE)
    folder = Path(run_module(LOCAL, "volume", DATA, "--namespace", NAMESPACE).strip())
    for known in KNOWN:
        fetch_into(folder / known.name, known, Transfer())
        (folder / known.name).chmod(_POD_MAY_READ)
    return folder


def install_operator(cluster: LocalCluster, checkout: Checkout, values: str) -> None:
    """Install or upgrade the chart, and wait until the operator is ready."""
    cluster.helm(
        *("upgrade", "--install", "trainyard", str(checkout.chart)),
        *("--namespace", SYSTEM, "--create-namespace"),
        *("--values", "-", "--wait", "--timeout", "5m"),
        stdin=values,
    )
