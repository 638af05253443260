"""Finds everything on the machine that belongs to one cluster, and takes it away.

Used by `down`, and by `up` when the programs were killed or the machine was restarted. What
belongs to a cluster is told by names and paths that only this cluster has; nothing is removed
because it merely looks like a cluster's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from trainyard_local import cgroups, kernel, network, processes
from trainyard_local.places import Places
from trainyard_local.processes import Mark, command_line, mark_of

CNI_RESULTS = Path("/var/lib/cni/results")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
SHIM_SOCKETS = Path("/run/containerd/s")
CONTAINER_LOGS = Path("/var/log/containers")


def mounts_below(mountinfo: str, folders: Iterable[Path]) -> list[Path]:
    """Returns the mount points below the folders, the ones mounted last first.

    Args:
        mountinfo: the text of /proc/self/mountinfo.
        folders: what must lie above a mount point.
    """
    roots = [str(folder) for folder in folders]
    found = []
    for line in mountinfo.splitlines():
        point = _unescape(line.split()[4])
        if any(point == root or point.startswith(root + "/") for root in roots):
            found.append(Path(point))
    return found[::-1]


def belongs(arguments: list[str], places: Places) -> bool:
    """Returns whether a process with these arguments is one of the cluster's programs.

    Shims name the cluster's containerd socket; all other programs name files in its folders.
    """
    folders = (f"{places.state}/", f"{places.run}/")
    program = Path(arguments[0]).name if arguments else ""
    if program.startswith("containerd-shim"):
        return str(places.containerd_socket) in arguments
    known = {
        "containerd",
        "coredns",
        "docker-registry",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubelet",
        "nsenter",
    }
    return program in known and any(folder in item for item in arguments for folder in folders)


def shims(places: Places) -> list[Mark]:
    """Returns the processes that hold the cluster's containers."""
    return [
        mark
        for pid in processes.all_pids()
        if (arguments := command_line(pid))
        and Path(arguments[0]).name.startswith("containerd-shim")
        and belongs(arguments, places)
        and (mark := mark_of(pid))
    ]


def programs(places: Places) -> list[Mark]:
    """Returns all of the cluster's processes outside of pods, PID file or not."""
    own = os.getpid()
    return [
        mark
        for pid in processes.all_pids()
        if pid != own and belongs(command_line(pid), places) and (mark := mark_of(pid))
    ]


def strays(places: Places) -> list[Mark]:
    """Returns programs that no PID file names: their start was interrupted halfway."""
    files = places.pids.glob("*.pid")
    known = [mark for file in files if (mark := processes.read_mark(file))]
    holders = shims(places)
    return [mark for mark in programs(places) if mark not in known and mark not in holders]


def pod_processes(places: Places) -> list[Mark]:
    """Returns the processes of the cluster's pods."""
    pids = cgroups.processes(places.cgroup)
    return [mark for pid in pids if (mark := mark_of(pid))]


def any_left(places: Places) -> bool:
    """Returns whether anything of the cluster is on the machine outside of its state folder."""
    return (
        places.run.exists()
        or places.netns_file.exists()
        or cgroups.exists(places.cgroup)
        or bool(programs(places))
        or bool(mounts_below(_mountinfo(), (places.kubelet, places.containerd)))
    )


def clear(places: Places) -> None:
    """Takes away everything but the state folder. Does nothing where nothing is left."""
    shim_sockets = _shim_sockets(places)
    # The shims first: they would report each container's end to a containerd that is gone.
    for _ in range(3):
        processes.kill(programs(places))
        processes.kill(pod_processes(places))
        if not programs(places) and not pod_processes(places):
            break
    _unmount(places)
    cgroups.remove(places.cgroup)
    network.remove(places)
    for shim_socket in shim_sockets:
        shim_socket.unlink(missing_ok=True)
    _remove_network_results(places)
    _remove_device_socket()
    _remove_log_links(places)
    kernel.restore(places.kernel_settings)
    shutil.rmtree(places.pids, ignore_errors=True)
    if not mounts_below(_mountinfo(), [places.run]):
        shutil.rmtree(places.run, ignore_errors=True)
    for shared in (places.run.parent, SHIM_SOCKETS, SHIM_SOCKETS.parent):
        with contextlib.suppress(OSError):
            shared.rmdir()  # only when it is empty


def _unmount(places: Places) -> None:
    folders = (places.run, places.kubelet, places.containerd)
    for _ in range(3):
        found = mounts_below(_mountinfo(), folders)
        if not found:
            return
        for point in found:
            # Lazily, for a process outside of the cluster may have a file open there.
            subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)


def _shim_sockets(places: Places) -> list[Path]:
    """Returns the sockets of the shims, which lie in a folder that all containerds share."""
    found = []
    for file in (places.containerd_run / "io.containerd.runtime.v2.task").glob("*/*/address"):
        with contextlib.suppress(OSError):
            found.append(Path(file.read_text().strip().removeprefix("unix://")))
    return [path for path in found if path.is_relative_to(SHIM_SOCKETS)]


def _remove_network_results(places: Places) -> None:
    """Removes what the network plugins noted down, in a folder that all containerds share."""
    for result in CNI_RESULTS.glob("*"):
        with contextlib.suppress(OSError):
            if f'"{places.run}/' in result.read_text(errors="replace"):
                result.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        CNI_RESULTS.rmdir()  # only when it is empty


def _remove_device_socket() -> None:
    """Removes the kubelet's one socket whose place cannot be chosen, when no kubelet serves it."""
    path = DEVICE_PLUGINS / "kubelet.sock"
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return
    for folder in (DEVICE_PLUGINS, DEVICE_PLUGINS.parent):
        with contextlib.suppress(OSError):
            folder.rmdir()  # only when it is empty


def _remove_log_links(places: Places) -> None:
    if not CONTAINER_LOGS.is_dir():
        return
    for link in CONTAINER_LOGS.iterdir():
        if link.is_symlink() and os.readlink(link).startswith(f"{places.pod_logs}/"):
            link.unlink(missing_ok=True)


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _unescape(text: str) -> str:
    """Decodes the octal escapes of a mount table."""
    for code in ("040", "011", "012", "134"):
        text = text.replace(f"\\{code}", chr(int(code, 8)))
    return text
