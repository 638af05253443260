"""The stand that the operator is measured on: a control plane of its own, with played nodes."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.controlplane.api import Access
from benchmarks.controlplane.installation import USER
from trainyard_local import addresses
from trainyard_local.places import Roots

NAME = "controlplane"
LOCAL = (sys.executable, "-m", "trainyard_local")
NODES = "fake_nodes"
"""What the process that plays the nodes is called among the figures."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pods:
    """What the nodes do with pods.

    Attributes:
        seconds: how long a pod runs; None: for ever.
        progress: whether who asks how far they are gets an answer.
    """

    seconds: float | None = 1.0
    progress: bool = False


@dataclass(frozen=True)
class Stand:
    """What runs.

    Attributes:
        access: to the API server, as one who may do anything.
        audit_log: the operator's requests.
        pids: of the control plane's programs and of the nodes, by name.
    """

    access: Access
    audit_log: Path
    pids: Mapping[str, int]


@contextlib.contextmanager
def started_stand(pods: Pods) -> Iterator[Stand]:
    """Starts a new control plane and nodes; nothing is left of them afterwards."""
    options = ("--fresh", "--control-plane-only", "--scheduler", "--audit", USER)
    try:
        log.info("control plane")
        _local("up", "--name", NAME, *options)
        status = json.loads(_local("status", "--name", NAME, "-o", "json"))
        places = Roots.from_environment().cluster(NAME)
        access = Access(status["server"], places.pki)
        pids = {part["name"]: part["pid"] for part in status["components"]}
        chosen = addresses.read(places.addresses)
        assert chosen is not None, "the cluster is up"
        log.info("nodes")
        # An address of this machine that nobody listens at, so that who asks a pod is refused at
        # once; a loopback address would be simplest, but no Endpoints may name one.
        with _played_nodes(access, chosen.host_ip, pods) as nodes:
            yield Stand(access, Path(status["audit_log"]), {**pids, NODES: nodes})
    finally:
        log.info("clearing up")
        _local("down", "--name", NAME, "--purge")


def _local(*arguments: str) -> str:
    # Ctrl-C is the driver's: neither a start nor the clearing up is to be cut in the middle.
    ended = subprocess.run(
        [*LOCAL, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True, check=False
    )
    if ended.returncode != 0:
        raise SystemExit(f"trainyard_local {arguments[0]} failed:\n{ended.stdout}")
    return ended.stdout


@contextlib.contextmanager
def _played_nodes(access: Access, address: str, pods: Pods) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.controlplane.kubelet"]
    command += ["--server", access.server, "--pki", str(access.pki), "--address", address]
    if pods.seconds is not None:
        command += ["--pod-seconds", str(pods.seconds)]
    if pods.progress:
        command.append("--progress")
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise SystemExit("the nodes cannot be played; see above")
            yield process.pid
        finally:
            process.terminate()
