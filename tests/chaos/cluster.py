"""The way to the cluster's API server that nothing happens on."""

from __future__ import annotations

import re

from benchmarks.controlplane.api import Access
from tests.cluster import Cluster
from trainyard_local.places import Roots


def access_to(cluster: Cluster) -> Access:
    """Access to a cluster's API server as one who may do anything."""
    found = re.search(r"server: (\S+)", cluster.kubeconfig.read_text())
    assert found is not None
    return Access(found[1], Roots.from_environment().cluster(cluster.name).pki)
