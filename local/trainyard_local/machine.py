"""What is known of this machine, and whether a cluster can run on it.

Looking and judging are apart: `look` touches the system, `reason_against` is a pure function over
what was seen, so that every refusal can be tested without a machine that deserves it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainyard_local.cgroups import usable_controllers
from trainyard_local.places import Roots

GIBIBYTE = 1 << 30
LEAST_DISK = 8 * GIBIBYTE
NEEDED_CONTROLLERS = frozenset({"cpu", "memory", "pids"})


@dataclass(frozen=True)
class Machine:
    """What was seen of the machine.

    Attributes:
        system: the kernel's name.
        is_root: whether this process may do everything.
        has_overlayfs: whether containers' root file systems can be layered.
        can_unshare_network: whether a network namespace could be made.
        controllers: the control group controllers that can be used.
        disk_folder: the folder that state goes to.
        free_disk: bytes free there.
        missing_programs: programs that a cluster needs and that are not there.
        has_apt: whether missing programs can be installed.
    """

    system: str
    is_root: bool
    has_overlayfs: bool
    can_unshare_network: bool
    controllers: frozenset[str]
    disk_folder: Path
    free_disk: int
    missing_programs: tuple[str, ...]
    has_apt: bool


def reason_against(machine: Machine, *, runs_pods: bool = True) -> str | None:
    """Returns why no cluster can run on the machine, None when one can.

    Args:
        machine: what was seen.
        runs_pods: whether more than the control plane is to run.
    """
    if machine.system != "Linux":
        return f"it needs Linux, and this is {machine.system}"
    if not machine.is_root:
        return "it needs root (try it with sudo)"
    if runs_pods and not machine.has_overlayfs:
        return "the kernel has no overlayfs"
    if not machine.can_unshare_network:
        return "no network namespace can be made (a container without privileges?)"
    lacking = sorted(NEEDED_CONTROLLERS - machine.controllers)
    if runs_pods and lacking:
        return f"control groups for {', '.join(lacking)} are missing or read-only"
    if machine.missing_programs and not machine.has_apt:
        names = ", ".join(machine.missing_programs)
        return f"{names} missing, and there is no apt to install from"
    if machine.free_disk < LEAST_DISK:
        free = machine.free_disk / GIBIBYTE
        return f"{machine.disk_folder} has {free:.1f} GB free, and it takes 8"
    return None


def look(roots: Roots, missing_programs: Sequence[str]) -> Machine:
    """Looks at this machine; changes nothing.

    Args:
        roots: says where the state will go.
        missing_programs: what `packages.missing` found.
    """
    system = platform.system()
    is_root = system == "Linux" and os.geteuid() == 0
    folder = _existing_parent(roots.state)
    return Machine(
        system=system,
        is_root=is_root,
        has_overlayfs=_has_overlayfs(),
        can_unshare_network=is_root and _succeeds("unshare", "--net", "true"),
        controllers=usable_controllers(),
        disk_folder=folder,
        free_disk=shutil.disk_usage(folder).free,
        missing_programs=tuple(missing_programs),
        has_apt=shutil.which("apt-get") is not None,
    )


def _has_overlayfs() -> bool:
    filesystems = Path("/proc/filesystems")
    if not filesystems.exists():
        return False
    if "\toverlay\n" in filesystems.read_text():
        return True
    # A kernel may have it as a module that is loaded at first use.
    return _succeeds("modprobe", "overlay")


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _existing_parent(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
