"""From a pod's world to this machine's: ports, addresses and folders, all in one place.

A pod has an address and its ports to itself; processes share one machine. So each port of
each pod gets a free port on loopback, and wherever the pod's environment names an address or
a port of its own, it is given the local one.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

from trainyard_api import environment
from trainyard_api.peers import WrongPeers, tf_config_of
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.deployments import FETCHER, MODEL_FOLDER

LOOPBACK = "127.0.0.1"

_ADDRESS = re.compile(r"([a-z0-9-]+)\.[a-z0-9-]+\.[a-z0-9-]+\.svc:(\d+)")


class Ports:
    """Local ports of pods' ports, each given once."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, int], int] = {}

    def local(self, pod: str, port: int) -> int:
        """The local port that stands for `port` of `pod`."""
        key = (pod, port)
        while key not in self._given:
            port_here = free_port()
            if port_here not in self._given.values():
                self._given[key] = port_here
        return self._given[key]

    def forget(self, pod: str) -> None:
        """Give the ports of a pod back."""
        self._given = {key: port for key, port in self._given.items() if key[0] != pod}


def free_port(wanted: int = 0) -> int:
    """A free TCP port on loopback: the wanted one, or any where that is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def local_environment(
    pod: Manifest,
    ports: Ports,
    volumes: Path,
    termination_log: Path,
    container: Manifest | None = None,
) -> dict[str, str]:
    """The environment of a pod's process, in addition to that of this process.

    Args:
        container: of the pod; by default its first.
    """
    name = pod["metadata"]["name"]
    container = container or pod["spec"]["containers"][0]
    own = {entry["containerPort"] for entry in container.get("ports", [])}
    # What a cluster would take from elsewhere (valueFrom) is the environment's here.
    env = [entry for entry in container.get("env", []) if "valueFrom" not in entry]
    variables = {entry["name"]: str(entry.get("value", "")) for entry in env}
    if (port := variables.get(environment.PORT)) is not None and int(port) in own:
        variables[environment.PORT] = str(ports.local(name, int(port)))
    if config := _tf_config(variables):
        variables[environment.TF_CONFIG] = _ADDRESS.sub(
            lambda match: f"{LOOPBACK}:{ports.local(match[1], int(match[2]))}", config
        )
    for variable in (environment.MODEL_URI, environment.MODEL_FILE):
        if variable in variables:
            variables[variable] = _shared(variables[variable], termination_log.parent)
    variables.pop("HOME", None)
    return {
        **variables,
        "PATH": _path(variables.get("PATH") or os.environ.get("PATH") or os.defpath),
        environment.HOST: LOOPBACK,
        environment.VOLUMES: str(volumes),
        environment.TERMINATION_LOG: str(termination_log),
        "PYTHONUNBUFFERED": "1",
    }


def _tf_config(variables: dict[str, str]) -> str:
    """Every worker by its address: local ports follow no pattern."""
    try:
        config = tf_config_of(variables)
    except WrongPeers:
        # A template has put something else there: the program itself says what is wrong with it.
        return ""
    variables.pop(environment.PEERS, None)
    return config


def _shared(place: str, folder: Path) -> str:
    """A path or file:// URI in the volume that a pod's containers share: a folder of the pod's."""
    scheme, path = ("file://", place[7:]) if place.startswith("file://") else ("", place)
    return f"{scheme}{folder}{path}" if path.startswith(f"{MODEL_FOLDER}/") else place


def fetcher(pod: Manifest) -> Manifest | None:
    """The init container that fetches the pod's model; the others are the cluster's."""
    containers = pod["spec"].get("initContainers") or []
    return next((each for each in containers if each.get("name") == FETCHER), None)


def local_command(pod: Manifest, container: Manifest | None = None) -> list[str]:
    """The command of a container's process, by default of the pod's first: `python` is the
    interpreter that runs this program."""
    container = container or pod["spec"]["containers"][0]
    command: list[str] = [*container["command"], *container.get("args", [])]
    # Not every installation has both names beside the interpreter.
    is_python = command[0] in ("python", "python3")
    return [sys.executable if is_python else command[0], *command[1:]]


def _path(path: str) -> str:
    """A PATH on which this interpreter's programs come first.

    A shell, `env` and a script's first line then find the Python, and the pip, that has what
    this program has. The interpreter itself may be a link: an environment's folder is the link's.
    """
    return os.pathsep.join([str(Path(sys.executable).parent), path])


def http_port(pod: Manifest) -> int | None:
    """The container port named http, if the pod has one."""
    for entry in pod["spec"]["containers"][0].get("ports", []):
        if entry.get("name") == "http":
            return int(entry["containerPort"])
    return None
