"""Keeps two state folders from fighting over one name.

A cluster's namespace, sockets and control group are named after it, whatever the state folder;
so the run folder says which state folder it belongs to.
"""

from __future__ import annotations

from pathlib import Path

from trainyard_local.errors import ClusterError
from trainyard_local.places import Places


def check_owner(places: Places) -> None:
    """Refuses to touch a cluster of this name that has its state elsewhere.

    Raises:
        ClusterError: there is one.
    """
    if not places.owner.exists():
        return
    owner = places.owner.read_text().strip()
    if owner != str(places.state) and Path(owner).exists():
        raise ClusterError(
            f"a cluster '{places.name}' with its state in {owner} is on this machine; "
            "choose another --name, or set TRAINYARD_STATE to where that one was started from"
        )
