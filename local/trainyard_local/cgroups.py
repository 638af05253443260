"""The control group that holds a cluster's pods.

Every cluster has a group of its own at the root of each hierarchy. The kubelet refuses to start
without it, two kubelets would remove each other's pods if they shared one, and it is how every
process of a pod is found when the cluster is taken down, whatever became of its parents.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
UNIFIED_CONTROLLERS = "cgroup.controllers"


def is_unified(mount: Path = MOUNT) -> bool:
    """Returns whether the machine uses control groups of version 2 alone."""
    return (mount / UNIFIED_CONTROLLERS).exists()


def usable_controllers(mount: Path = MOUNT) -> frozenset[str]:
    """Returns the controllers that groups can be made for."""
    if not os.access(mount, os.R_OK):
        return frozenset()
    if is_unified(mount):
        if not os.access(mount / "cgroup.subtree_control", os.W_OK):
            return frozenset()
        return frozenset((mount / UNIFIED_CONTROLLERS).read_text().split())
    return frozenset(
        name
        for root in hierarchies(mount)
        if os.access(root, os.W_OK)
        for name in root.name.split(",")
    )


def hierarchies(mount: Path = MOUNT) -> list[Path]:
    """Returns the root of each hierarchy; links such as `cpu` to `cpu,cpuacct` count once."""
    if is_unified(mount):
        return [mount]
    if not mount.is_dir():
        return []
    return sorted(
        child
        for child in mount.iterdir()
        if (child / "cgroup.procs").exists() and not child.is_symlink()
    )


def create(group: str, mount: Path = MOUNT) -> None:
    """Makes the group in every hierarchy."""
    if is_unified(mount):
        wanted = {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"}
        switched = " ".join(f"+{name}" for name in sorted(wanted & usable_controllers(mount)))
        (mount / "cgroup.subtree_control").write_text(switched)
        (mount / group).mkdir(exist_ok=True)
        (mount / group / "cgroup.subtree_control").write_text(switched)
        return
    for root in hierarchies(mount):
        (root / group).mkdir(exist_ok=True)
        # A new group of this hierarchy has no processors and takes no process until it is told.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (root / setting).exists():
                (root / group / setting).write_text((root / setting).read_text())


def processes(group: str, mount: Path = MOUNT) -> set[int]:
    """Returns the process ids in the group and below."""
    found: set[int] = set()
    for folder in _folders(group, mount):
        try:
            found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        except OSError:
            continue  # removed, or a threaded group, whose processes its parent lists
    found.discard(0)
    return found


def remove(group: str, mount: Path = MOUNT, patience: float = 3.0) -> None:
    """Removes the group and all below; their processes must have ended.

    A group stays busy for a moment after its last process, so removing is tried for `patience`
    seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        left = False
        for folder in _folders(group, mount):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left = True
        if not left or time.monotonic() > deadline:
            return
        time.sleep(0.05)


def exists(group: str, mount: Path = MOUNT) -> bool:
    """Returns whether any hierarchy has the group."""
    return any((root / group).is_dir() for root in hierarchies(mount))


def _folders(group: str, mount: Path) -> Iterator[Path]:
    """Yields the group's folders, children before their parents."""
    for root in hierarchies(mount):
        for folder, _, _ in os.walk(root / group, topdown=False):
            yield Path(folder)
