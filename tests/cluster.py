"""What integration and e2e tests share: a cluster of their own, kubectl, and the operator."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from trainyard_api.crd import render_crd

Object = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Cluster:
    """A cluster that a test session started."""

    name: str
    kubeconfig: Path
    programs: Path
    """Folder of kubectl and helm."""
    registry: str | None = None

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """What kubectl prints; on failure (or without `check`) its errors too."""
        result = subprocess.run(
            [str(self.programs / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {result.stderr}")
        return result.stdout if check else result.stdout + result.stderr

    def get(self, kind: str, name: str, namespace: str) -> Object:
        """An object; empty where there is none."""
        text = self.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        found: Object = json.loads(text) if text else {}
        return found

    def list(self, kind: str, namespace: str, *arguments: str) -> list[Object]:
        """The objects of a kind."""
        text = self.kubectl("get", kind, "-n", namespace, "-o", "json", *arguments)
        items: list[Object] = json.loads(text)["items"]
        return items

    def apply(self, manifest: str, namespace: str) -> None:
        """Apply YAML; a refusal fails the test."""
        self.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)

    def refusal(self, manifest: str, namespace: str) -> str:
        """What the API server says to YAML that it must refuse."""
        said = self.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest, check=False)
        assert "created" not in said, said
        assert "configured" not in said, said
        return said

    def install_crd(self) -> None:
        """Install the CRD and wait until it is served."""
        self.kubectl("apply", "--server-side", "-f", "-", stdin=render_crd())
        self.kubectl("wait", "--for=condition=Established", "crd/trainingjobs.trainyard.dev")


@contextlib.contextmanager
def started_cluster(name: str, *options: str) -> Iterator[Cluster]:
    """A new cluster, purged afterwards."""
    local = [sys.executable, "-m", "trainyard_local"]
    subprocess.run([*local, "up", "--name", name, "--fresh", *options], check=True)
    try:
        text = subprocess.run(
            [*local, "status", "--name", name, "-o", "json"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        status = json.loads(text)
        yield Cluster(
            name=name,
            kubeconfig=Path(status["kubeconfig"]),
            programs=Path(status["bin_dir"]),
            registry=status["registry"],
        )
    finally:
        subprocess.run([*local, "down", "--name", name, "--purge"], check=True)


@dataclass
class Operator:
    """The operator as a process of this machine."""

    cluster: Cluster
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def start(self) -> None:
        """Start it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "TRAINYARD_METRICS_PORT": str(self.port),
            "TRAINYARD_BACKOFF_SECONDS": "1",
            "TRAINYARD_PROGRESS_SECONDS": "0.5",
            **self.settings,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trainyard_operator"],
                env=environment,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        """Wait until its watches run."""
        wait_for("the operator", self._ready, 60)

    def _ready(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/readyz"
        try:
            return bool(urllib.request.urlopen(url, timeout=2).status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a lost node would: at once, in the middle of whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """End it in order; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def wait_for(
    what: str, look: Callable[[], T | None], seconds: float = 30.0, pause: float = 0.1
) -> T:
    """The first answer of `look` that is true; after `seconds` the test fails and says so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(pause)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
