"""Chooses the addresses of a cluster.

Every cluster on a machine needs ranges that no other cluster and no network of the machine uses.
The name decides where the search begins, so that the same name gets the same addresses on most
machines; what the machine uses already decides where it ends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from pathlib import Path

from trainyard_local.errors import ClusterError

SLOTS_PER_RANGE = 32


@dataclass(frozen=True)
class Addresses:
    """The ranges of one cluster, in CIDR notation."""

    node_network: str
    pod_network: str
    service_network: str

    @property
    def host_ip(self) -> str:
        """The host's end of the cable to the node."""
        return str(IPv4Network(self.node_network)[1])

    @property
    def node_ip(self) -> str:
        """The node: API server, registry and DNS."""
        return str(IPv4Network(self.node_network)[2])

    @property
    def api_service_ip(self) -> str:
        """The Service `kubernetes.default`."""
        return str(IPv4Network(self.service_network)[1])

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.node_ip}:6443"

    @property
    def registry(self) -> str:
        """The registry's address, as in an image's name."""
        return f"{self.node_ip}:5000"

    def networks(self) -> tuple[IPv4Network, ...]:
        """Returns all ranges of the cluster."""
        ranges = (self.node_network, self.pod_network, self.service_network)
        return tuple(IPv4Network(item) for item in ranges)


def candidates() -> list[Addresses]:
    """Returns all choices: private ranges first, then the range set aside for benchmarks."""
    private = [
        Addresses(f"10.210.{n}.0/24", f"10.211.{n * 4}.0/22", f"10.212.{n * 4}.0/22")
        for n in range(SLOTS_PER_RANGE)
    ]
    benchmark = [
        Addresses(f"198.18.{n}.0/24", f"198.19.{n * 4}.0/22", f"198.18.{128 + n * 4}.0/22")
        for n in range(SLOTS_PER_RANGE)
    ]
    return private + benchmark


def choose(name: str, taken: Iterable[IPv4Network]) -> Addresses:
    """Chooses the addresses of a new cluster.

    Args:
        name: the cluster's name.
        taken: what the machine and its other clusters use.

    Raises:
        ClusterError: everything is taken.
    """
    used = list(taken)
    first = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % SLOTS_PER_RANGE
    everything = candidates()
    for start in range(0, len(everything), SLOTS_PER_RANGE):
        for step in range(SLOTS_PER_RANGE):
            candidate = everything[start + (first + step) % SLOTS_PER_RANGE]
            if not conflict(candidate, used):
                return candidate
    raise ClusterError(
        "no addresses are left for a cluster: the machine's routes cover 10.210.0.0/16 and "
        "198.18.0.0/15, or 64 clusters exist. Remove one by 'trainyard cluster down --purge "
        "--name NAME', or leave the VPN that routes these ranges"
    )


def conflict(addresses: Addresses, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """Returns the first range of `taken` that overlaps with the addresses, None if none does."""
    own = addresses.networks()
    return next((other for other in taken if any(other.overlaps(item) for item in own)), None)


def read(path: Path) -> Addresses | None:
    """Reads addresses that were chosen before, None where there are none."""
    try:
        return Addresses(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ClusterError(
            f"{path} is damaged; 'trainyard cluster down --purge' removes it with its cluster"
        ) from error


def write(path: Path, addresses: Addresses) -> None:
    """Keeps addresses for the next start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(addresses), indent=2) + "\n")
