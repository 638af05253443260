"""Gives pods a folder of the host as a volume claim.

A node without a storage provisioner binds a claim only to a volume that somebody made. The folder
belongs to the user that trainyard's pods run as, and is open to all, for a hostPath volume ignores
a pod's fsGroup.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from trainyard_local import addresses, status
from trainyard_local.api import Api
from trainyard_local.errors import ClusterError, UsageError
from trainyard_local.places import Roots
from trainyard_local.processes import wait_until

POD_USER = 65532
BIND_SECONDS = 30.0
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def build_volume(name: str, namespace: str, size: str, folder: Path) -> dict[str, object]:
    """Returns the volume. It names its claim, so that no other claim takes it."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}"},
        "spec": {
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            "capacity": {"storage": size},
            "claimRef": {"namespace": namespace, "name": name},
            "hostPath": {"path": str(folder), "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
        },
    }


def build_claim(name: str, namespace: str, size: str) -> dict[str, object]:
    """Returns the claim that the volume is for."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": "",
            "volumeName": f"{namespace}-{name}",
        },
    }


def create(roots: Roots, cluster: str, name: str, namespace: str, size: str) -> Path:
    """Makes a folder, and a volume and a claim for it.

    Args:
        roots: say where the state lies.
        cluster: the cluster's name.
        name: of the claim.
        namespace: of the claim; made when it is missing.
        size: what the claim says; nothing enforces it.

    Returns:
        The folder on the host.

    Raises:
        UsageError: a name or the size is malformed.
        ClusterError: the cluster does not run, or refused the objects.
    """
    for text in (name, namespace):
        if not _OBJECT_NAME.fullmatch(text):
            raise UsageError(f"'{text}' cannot name an object: use a-z, 0-9 and dashes")
    if not _QUANTITY.fullmatch(size):
        raise UsageError(f"'{size}' is no size; write for example 10Gi")
    status.running(roots, cluster)
    places = roots.cluster(cluster)
    chosen = addresses.read(places.addresses)
    if chosen is None:
        raise ClusterError(f"{places.addresses} is missing; run 'trainyard cluster up'")
    folder = places.volumes / namespace / name
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, POD_USER, POD_USER)
    folder.chmod(0o777)
    api = Api.of(places, chosen)
    spaces = "/api/v1/namespaces"
    if not api.get(f"{spaces}/{namespace}").is_good:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        api.apply(f"{spaces}/{namespace}", space)
    volume = build_volume(name, namespace, size, folder)
    api.apply(f"/api/v1/persistentvolumes/{namespace}-{name}", volume)
    claims = f"{spaces}/{namespace}/persistentvolumeclaims"
    api.apply(f"{claims}/{name}", build_claim(name, namespace, size))
    # A pod that asks for a claim that is not bound yet waits for the scheduler's next look.
    if not wait_until(lambda: is_bound(api.get(f"{claims}/{name}").json()), BIND_SECONDS):
        raise ClusterError(
            f"the claim '{name}' was not bound within {BIND_SECONDS:.0f} s; "
            f"'kubectl -n {namespace} describe pvc {name}' says why"
        )
    return folder


def is_bound(claim: dict[str, object]) -> bool:
    """Returns whether a claim has its volume."""
    state = claim.get("status")
    return isinstance(state, dict) and state.get("phase") == "Bound"
