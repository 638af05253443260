"""The system's programs that a cluster needs, and how they get there.

Programs are looked for, not packages: a machine with Docker's containerd has what is needed and
must keep it. The services that Debian's packages bring are kept from starting, because the
cluster runs the programs itself; a service that was there before is left alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard_local.console import Console
from trainyard_local.errors import ClusterError

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
POLICY = Path("/usr/sbin/policy-rc.d")
UNITS = Path("/etc/systemd/system")
INSTALL_LOG = "packages.log"


@dataclass(frozen=True)
class Need:
    """A program, and the package that brings it.

    Attributes:
        program: what is looked for on the path, or a file's absolute path.
        package: the name of Debian's and Ubuntu's package.
        service: the service that the package would start, if any.
        for_pods: whether only a cluster that runs pods needs it.
    """

    program: str
    package: str
    service: str | None = None
    for_pods: bool = True


NEEDS: tuple[Need, ...] = (
    Need("containerd", "containerd", service="containerd"),
    Need("runc", "runc"),
    Need("cni:bridge", "containernetworking-plugins"),
    Need("docker-registry", "docker-registry", service="docker-registry"),
    Need("nft", "nftables"),
    Need("iptables", "iptables"),
    Need("ip", "iproute2", for_pods=False),
    Need("conntrack", "conntrack"),
    Need("ethtool", "ethtool"),
    Need("socat", "socat"),
    Need("nsenter", "util-linux", for_pods=False),
    Need("mount", "mount"),
    Need("buildah", "buildah"),
    Need("debootstrap", "debootstrap"),
    Need("/etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
)


def needs(*, runs_pods: bool) -> list[Need]:
    """Returns what a cluster needs, or what the control plane alone needs."""
    return [need for need in NEEDS if runs_pods or not need.for_pods]


def missing(wanted: Iterable[Need]) -> list[Need]:
    """Returns the needs that this machine does not meet."""
    return [need for need in wanted if not _is_there(need.program)]


def cni_folder() -> Path:
    """Returns the folder of the network plugins."""
    return next((folder for folder in CNI_FOLDERS if (folder / "bridge").exists()), CNI_FOLDERS[0])


def install(wanted: list[Need], log: Path, console: Console) -> None:
    """Installs what is missing.

    Args:
        wanted: what `missing` found.
        log: takes everything that apt says.
        console: shows the progress.

    Raises:
        ClusterError: apt failed; the message has the end of what it said.
    """
    if not wanted:
        return
    names = sorted({need.package for need in wanted})
    log.parent.mkdir(parents=True, exist_ok=True)
    with console.step(f"installing system packages: {', '.join(names)}") as step, held_back(wanted):
        if _apt(["install", "--yes", "--no-install-recommends", *names], log, step.detail) != 0:
            step.detail("the package lists are old; fetching new ones")
            _apt(["update"], log, step.detail)
            arguments = ["install", "--yes", "--no-install-recommends", *names]
            if _apt(arguments, log, step.detail) != 0:
                raise ClusterError(
                    f"apt-get could not install {' '.join(names)}; what it said is in {log}. "
                    "Install them by hand, then try again"
                )
    still = [need.program for need in missing(wanted)]
    if still:
        raise ClusterError(f"these programs are missing after the installation: {', '.join(still)}")


@contextmanager
def held_back(wanted: Iterable[Need]) -> Iterator[None]:
    """Keeps the services of new packages from starting, now and at the next boot."""
    for service in (need.service for need in wanted if need.service):
        unit = UNITS / f"{service}.service"
        if UNITS.is_dir() and not unit.exists() and not unit.is_symlink():
            unit.symlink_to("/dev/null")
    own_policy = not POLICY.exists()
    if own_policy:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if own_policy:
            POLICY.unlink(missing_ok=True)


def _apt(arguments: list[str], log: Path, say: Callable[[str], None]) -> int:
    """Runs apt-get, and tells `say` which package it is at."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    with log.open("a") as file:
        process = subprocess.Popen(
            # Another installation may hold apt's lock for a while.
            ["apt-get", "--option=DPkg::Lock::Timeout=300", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if line.startswith(("Get:", "Unpacking", "Setting up")):
                say(line.strip()[:70])
        return process.wait()


def _is_there(program: str) -> bool:
    if program.startswith("cni:"):
        plugin = program.removeprefix("cni:")
        return any((folder / plugin).exists() for folder in CNI_FOLDERS)
    if program.startswith("/"):
        return Path(program).exists()
    return shutil.which(program, path=search_path()) is not None


def search_path() -> str:
    """Returns the search path with the folders that users without root often lack."""
    return f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
