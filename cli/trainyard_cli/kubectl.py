"""kubectl, the program behind the commands that speak to a cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard_api.names import PLURAL
from trainyard_cli.errors import CliError

LOCAL = "trainyard_local"
_NOT_INSTALLED = (
    "the server doesn't have a resource type",
    "the server could not find the requested resource",
)
_FORWARDING = re.compile(r"Forwarding from (127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Access:
    """Which cluster and namespace a command speaks to, as the user gave it."""

    namespace: str | None = None
    """None: the context's."""
    context: str | None = None
    kubeconfig: Path | None = None
    local: bool = False
    """The local cluster that `trainyard cluster up` runs."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl with the options that lead to one cluster and namespace."""

    command: tuple[str, ...]

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Its output.

        Args:
            given: what it reads from its input.

        Raises:
            CliError: it failed; the message is its own.
        """
        ended = subprocess.run(
            [*self.command, *arguments], check=False, capture_output=True, text=True, input=given
        )
        if ended.returncode != 0:
            raise CliError(_explain(ended.stderr))
        return ended.stdout

    def job(self, name: str) -> dict[str, Any]:
        """A TrainingJob as the cluster keeps it."""
        document: dict[str, Any] = json.loads(self.run("get", PLURAL, name, "-o", "json"))
        return document

    def watch_job(self, name: str) -> Iterator[dict[str, Any]]:
        """A TrainingJob at every change, until the watch ends.

        Raises:
            CliError: it cannot be watched.
        """
        command = [*self.command, "get", PLURAL, name, "-o", "json", "--watch"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield from _documents(iter(process.stdout or ()))
            finally:
                process.terminate()
            if process.wait() > 0 and process.stderr is not None:
                raise CliError(_explain(process.stderr.read()))

    @contextmanager
    def forward(self, service: str, port: int) -> Iterator[str]:
        """The URL on this machine that leads to a Service while the body runs."""
        command = [*self.command, "port-forward", f"service/{service}", f":{port}"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                first = process.stdout.readline() if process.stdout is not None else ""
                if (found := _FORWARDING.search(first)) is None:
                    process.terminate()
                    raise CliError(_explain(process.stderr.read() if process.stderr else ""))
                yield f"http://{found[1]}"
            finally:
                process.terminate()


def find_kubectl(access: Access, environment: Mapping[str, str] = os.environ) -> Kubectl:
    """kubectl for a cluster.

    Raises:
        CliError: there is no kubectl, or no local cluster.
    """
    program = shutil.which("kubectl", path=environment.get("PATH")) or _cached(environment)
    if program is None:
        raise CliError(
            "kubectl was not found: put it on the PATH, or run 'trainyard cluster build', which "
            "makes one"
        )
    command = [program]
    kubeconfig = _local_kubeconfig() if access.local else access.kubeconfig
    for option, value in (
        ("--kubeconfig", kubeconfig),
        ("--context", access.context),
        ("--namespace", access.namespace),
    ):
        if value is not None:
            command += [option, str(value)]
    return Kubectl(tuple(command))


def _cached(environment: Mapping[str, str]) -> str | None:
    """The newest kubectl that the local cluster has built."""
    home = Path(environment.get("HOME") or Path.home())
    cache = Path(environment.get("TRAINYARD_CACHE") or home / ".cache" / "trainyard")
    found = [*cache.glob("bin/kubectl"), *cache.glob("node/*/kubectl")]
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    return str(newest) if newest is not None else None


def _local_kubeconfig() -> Path:
    command = [sys.executable, "-m", LOCAL, "kubeconfig"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode != 0:
        raise CliError(ended.stderr.strip().removeprefix("trainyard cluster: "))
    return Path(ended.stdout.strip())


def _documents(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The objects in kubectl's indented output: each ends with a brace at a line's beginning."""
    collected: list[str] = []
    for line in lines:
        collected.append(line)
        if line.rstrip("\n") == "}":
            yield json.loads("".join(collected))
            collected = []


def _explain(stderr: str) -> str:
    """kubectl's last word, and the cure for what newcomers meet."""
    lines = [line for line in stderr.strip().splitlines() if line]
    text = lines[-1] if lines else "kubectl failed without a message"
    if any(sign in text for sign in _NOT_INSTALLED):
        return f"{text}; Trainyard is not installed in this cluster"
    if "localhost:8080" in text or "connection to the server" in text:
        return (
            f"{text} Name a cluster by --kubeconfig or --context, or take the local one by --local "
            "('trainyard cluster up' starts it)"
        )
    return text
