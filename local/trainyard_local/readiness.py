"""Says when a cluster is of use: pure looks at what its API server answers, and the waiting."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from trainyard_local import processes
from trainyard_local.addresses import Addresses
from trainyard_local.api import Api, Unreachable
from trainyard_local.errors import ComponentFailed
from trainyard_local.places import Places

POLL_SECONDS = 0.05
DAMAGED_HINT = "If it stays so, 'trainyard cluster up --fresh' forgets the objects of the cluster."


def node_is_ready(node: dict[str, object], since: dt.datetime) -> bool:
    """Returns whether a node is ready, by a report that is not older than `since`.

    A node that was ready when the machine went down still says so after its restart.
    """
    status = node.get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    for condition in conditions:
        if condition.get("type") != "Ready":
            continue
        heard = dt.datetime.fromisoformat(condition["lastHeartbeatTime"].replace("Z", "+00:00"))
        return condition.get("status") == "True" and heard >= since.replace(microsecond=0)
    return False


class Waiter:
    """Waits for parts of the cluster, and notices when the program that is waited for died.

    Args:
        places: of the cluster.
        addresses: of the cluster.
    """

    def __init__(self, places: Places, addresses: Addresses) -> None:
        self._places = places
        self._addresses = addresses
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """A client; the certificates must exist by now."""
        if self._api is None:
            self._api = Api.of(self._places, self._addresses)
        return self._api

    def is_settled(self, *, runs_pods: bool) -> bool:
        """Returns whether all that is waited for holds already."""
        try:
            if not (self.api.is_ready() and self._takes_pods()):
                return False
            ever = dt.datetime.fromtimestamp(0, dt.UTC)
            return not runs_pods or (self._has_node(ever) and self._answers_names())
        except Unreachable:
            return False

    def for_api_server(self) -> None:
        """Waits until the API server serves."""
        self._wait(self.api.is_ready, ("etcd", "kube-apiserver"), 90)

    def for_containerd(self) -> None:
        """Waits until containerd's socket takes connections."""
        path = self._places.containerd_socket
        self._wait(lambda: takes_connections(path), ("containerd",), 30)

    def for_registry(self) -> None:
        """Waits until the registry answers."""
        url = f"http://{self._addresses.registry}/v2/"
        self._wait(lambda: answers_http(url), ("registry",), 30)

    def for_node(self, since: dt.datetime) -> None:
        """Waits until the node is ready by a report that is not older than `since`."""
        needed = ("kubelet", "containerd", "kube-controller-manager")
        self._wait(lambda: self._has_node(since), needed, 90)

    def for_default_namespace(self) -> None:
        """Waits until pods can be created: a pod needs its namespace's service account."""
        self._wait(self._takes_pods, ("kube-controller-manager",), 60)

    def for_dns(self) -> None:
        """Waits until CoreDNS has read the cluster's names."""
        self._wait(self._answers_names, ("coredns",), 60)

    def for_service_network(self) -> None:
        """Waits until kube-proxy has written its rules."""
        url = f"http://{self._addresses.node_ip}:10256/healthz"
        self._wait(lambda: answers_http(url), ("kube-proxy",), 60)

    def _has_node(self, since: dt.datetime) -> bool:
        answer = self.api.get(f"/api/v1/nodes/{self._places.name}")
        return answer.is_good and node_is_ready(answer.json(), since)

    def _takes_pods(self) -> bool:
        default = "/api/v1/namespaces/default"
        paths = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")
        return all(self.api.get(f"{default}/{path}").is_good for path in paths)

    def _answers_names(self) -> bool:
        return answers_http(f"http://{self._addresses.node_ip}:8181/ready")

    def _wait(self, holds: Callable[[], bool], needed: Iterable[str], seconds: float) -> None:
        names = list(needed)
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Unreachable):
                if holds():
                    return
            for name in names:
                if not processes.is_alive(processes.read_mark(self._places.pids / f"{name}.pid")):
                    raise ComponentFailed(name, "ended", self._places.log_of(name), DAMAGED_HINT)
            if time.monotonic() > deadline:
                what = f"was not ready within {seconds:.0f} s"
                raise ComponentFailed(names[0], what, self._places.log_of(names[0]), DAMAGED_HINT)
            time.sleep(POLL_SECONDS)


def takes_connections(path: Path) -> bool:
    """Returns whether a program listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


def answers_http(url: str) -> bool:
    """Returns whether something answers there that all is well, asked without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
