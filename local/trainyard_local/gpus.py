"""Lets the node claim GPUs that it does not have.

The scheduler and the kubelet count what the node's status says, so jobs that ask for
`nvidia.com/gpu` can be tested on a machine without any. The programs in the pods find none.
"""

from __future__ import annotations

from trainyard_local import addresses, status
from trainyard_local.api import Api
from trainyard_local.errors import ClusterError, UsageError
from trainyard_local.places import Roots

MOST = 64


def build_patch(count: int) -> list[dict[str, object]]:
    """Returns the JSON patch of the node's status."""
    return [
        {"op": "add", "path": f"/status/{field}/nvidia.com~1gpu", "value": str(count)}
        for field in ("capacity", "allocatable")
    ]


def advertise(roots: Roots, cluster: str, count: int) -> None:
    """Makes the cluster's node claim `count` GPUs, until the kubelet starts again.

    Raises:
        UsageError: the count makes no sense.
        ClusterError: the cluster does not run.
    """
    if not 0 <= count <= MOST:
        raise UsageError(f"a node has 0 to {MOST} GPUs, not {count}")
    status.running(roots, cluster, whole=True)
    places = roots.cluster(cluster)
    chosen = addresses.read(places.addresses)
    if chosen is None:
        raise ClusterError(f"{places.addresses} is missing; run 'trainyard cluster up'")
    Api.of(places, chosen).patch(f"/api/v1/nodes/{places.name}/status", build_patch(count))
