"""Where things lie: one place that knows every path, so that clearing up can know them too.

State that outlives a restart of the machine (certificates, etcd, images) lies under the state
folder. Sockets and containerd's running state lie under /run: socket paths must be short (107
bytes), and /run is empty after a restart, as that state is void then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard_local.errors import UsageError

RUN_ROOT = Path("/run/trainyard")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True)
class Roots:
    """The folders that everything else lies under."""

    cache: Path
    state: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Roots:
        """Reads TRAINYARD_CACHE and TRAINYARD_STATE, with defaults under the home folder."""
        home = Path(environment.get("HOME") or Path.home())
        cache = environment.get("TRAINYARD_CACHE") or home / ".cache/trainyard"
        state = environment.get("TRAINYARD_STATE") or home / ".local/share/trainyard"
        return cls(cache=Path(cache).absolute(), state=Path(state).absolute())

    @property
    def node_builds(self) -> Path:
        """Holds one folder of programs for each digest of their source."""
        return self.cache / "node"

    @property
    def image_storage(self) -> Path:
        """The image store of trainyard's own builds (`buildah --root`)."""
        return self.cache / "images/storage"

    @property
    def image_run(self) -> Path:
        """The run folder that goes with `image_storage` (`buildah --runroot`)."""
        return self.cache / "images/run"

    @property
    def clusters(self) -> Path:
        """Holds one state folder for each cluster."""
        return self.state / "clusters"

    def cluster(self, name: str) -> Places:
        """Returns the places of the cluster called `name`.

        Raises:
            UsageError: the name cannot name a cluster.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"'{name}' cannot name a cluster: use lower-case letters, digits and dashes, "
                "30 characters at most, with a letter or digit at both ends"
            )
        return Places(name=name, state=self.clusters / name, run=RUN_ROOT / name)


@dataclass(frozen=True)
class Places:
    """The places of one cluster."""

    name: str
    state: Path
    run: Path

    @property
    def netns(self) -> str:
        """The name of the network namespace."""
        return f"ty-{self.name}"

    @property
    def netns_file(self) -> Path:
        """What the network namespace can be entered by."""
        return Path("/run/netns") / self.netns

    @property
    def cgroup(self) -> str:
        """The control group of the pods, relative to each hierarchy's root."""
        return f"trainyard-{self.name}"

    @property
    def cni_network(self) -> str:
        """The pod network's name."""
        return f"trainyard-{self.name}"

    @property
    def addresses(self) -> Path:
        """The addresses chosen for this cluster."""
        return self.state / "addresses.json"

    @property
    def lock(self) -> Path:
        """Held while a command changes the cluster."""
        return self.state.parent / f".{self.name}.lock"

    @property
    def owner(self) -> Path:
        """Names the state folder that the run folder belongs to."""
        return self.run / "owner"

    @property
    def extent(self) -> Path:
        """Says what the cluster was started as."""
        return self.run / "mode"

    @property
    def kernel_settings(self) -> Path:
        """The kernel settings as they were before the kubelet changed them."""
        return self.run / "kernel.json"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def etcd(self) -> Path:
        return self.state / "etcd"

    @property
    def kubelet(self) -> Path:
        return self.state / "kubelet"

    @property
    def containerd(self) -> Path:
        """What containerd keeps: images and snapshots."""
        return self.state / "containerd"

    @property
    def containerd_run(self) -> Path:
        """What containerd needs while it runs."""
        return self.run / "containerd"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def cni_data(self) -> Path:
        """Which pod holds which address."""
        return self.run / "cni"

    @property
    def registry(self) -> Path:
        return self.state / "registry"

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def pod_logs(self) -> Path:
        return self.state / "pod-logs"

    @property
    def audit_log(self) -> Path:
        """The requests that the API server noted down."""
        return self.logs / "audit.json"

    @property
    def pids(self) -> Path:
        return self.state / "pids"

    def log_of(self, component: str) -> Path:
        """Returns the log of one program."""
        return self.logs / f"{component}.log"
