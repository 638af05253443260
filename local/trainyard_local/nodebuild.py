"""Builds the cluster's programs from their pinned source, once for each version of it.

A build takes minutes, so it is kept by the digest of what it is made from. It is made beside its
final place and moved there when whole: a build that was interrupted is never taken for one, and
Go's own cache makes the next try go on from there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainyard_local.console import Console
from trainyard_local.errors import ClusterError
from trainyard_local.lock import held
from trainyard_local.places import Roots
from trainyard_local.toolchain import find_go

SOURCE = Path(__file__).resolve().parent.parent / "go"
BINARY = "trainyard-node"
PAUSE = "pause"
PROGRAMS = (
    "coredns",
    "etcd",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
# A build from nothing compiles about this many packages; only the display depends on it.
EXPECTED_PACKAGES = 3100


@dataclass(frozen=True)
class Versions:
    """What the source pins."""

    kubernetes: str
    helm: str


def pinned_versions(go_mod: str) -> Versions:
    """Reads the pinned versions from the text of go.mod.

    Raises:
        ClusterError: one of them is not there.
    """
    found: dict[str, str] = {}
    for module in ("k8s.io/kubernetes", "helm.sh/helm/v4"):
        match = re.search(rf"^\s*{re.escape(module)} (v\S+)$", go_mod, re.MULTILINE)
        if match is None:
            raise ClusterError(f"go.mod does not require {module}; restore local/go")
        found[module] = match.group(1)
    return Versions(kubernetes=found["k8s.io/kubernetes"], helm=found["helm.sh/helm/v4"])


def link_flags(versions: Versions) -> str:
    """Returns the linker's flags: no debug information, and the versions the programs report.

    The API server refuses to start without its version; helm judges charts by Kubernetes's.
    """
    major, minor, _ = versions.kubernetes.removeprefix("v").split(".")
    variables = {
        "k8s.io/component-base/version.gitVersion": versions.kubernetes,
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "helm.sh/helm/v4/internal/version.version": versions.helm,
        "helm.sh/helm/v4/internal/version.kubeClientVersionMajor": major,
        "helm.sh/helm/v4/internal/version.kubeClientVersionMinor": minor,
        "helm.sh/helm/v4/pkg/chart/common.k8sVersionMajor": major,
        "helm.sh/helm/v4/pkg/chart/common.k8sVersionMinor": minor,
        "helm.sh/helm/v4/pkg/chart/v2/lint/rules.k8sVersionMajor": major,
        "helm.sh/helm/v4/pkg/chart/v2/lint/rules.k8sVersionMinor": minor,
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in variables.items())])


def digest(source: Path = SOURCE) -> str:
    """Returns a short digest of everything that a build is made from.

    Raises:
        ClusterError: the source is not there.
    """
    if not (source / "go.mod").exists():
        raise ClusterError(
            f"the source of the cluster's programs is not in {source}; "
            "run this from a checkout ('make demo' installs one that way)"
        )
    files = [source / "go.mod", source / "go.sum", *sorted(source.rglob("*.go"))]
    content = hashlib.sha256()
    for file in files:
        content.update(f"{file.relative_to(source)}\0".encode())
        content.update(file.read_bytes())
        content.update(b"\0")
    return content.hexdigest()[:16]


def built(roots: Roots) -> Path | None:
    """Returns the folder of the programs, None when they have yet to be built."""
    folder = roots.node_builds / digest()
    return folder if folder.exists() else None


def build(roots: Roots, console: Console) -> Path:
    """Builds the programs unless that was done, and returns their folder.

    Raises:
        ClusterError: no Go could be had, or the build failed.
    """
    folder = built(roots)
    if folder is not None:
        return folder
    with held(roots.node_builds / ".lock", console, "builds the programs"):
        return built(roots) or _build_anew(roots, console)


def _build_anew(roots: Roots, console: Console) -> Path:
    folder = roots.node_builds / digest()
    go = find_go(roots, SOURCE, console)
    for abandoned in roots.node_builds.glob("building-*"):
        shutil.rmtree(abandoned, ignore_errors=True)  # whoever made it no longer holds the lock
    with tempfile.TemporaryDirectory(prefix="building-", dir=roots.node_builds) as scratch:
        unfinished = Path(scratch) / "programs"
        unfinished.mkdir()
        with console.step("building Kubernetes (about 5 minutes, once)") as step:
            _compile(go, ".", unfinished / BINARY, step.detail)
            _compile(go, "./pause", unfinished / PAUSE, step.detail)
        for program in PROGRAMS:
            (unfinished / program).symlink_to(BINARY)
        unfinished.rename(folder)
    return folder


def progress(packages: int, newest: str) -> str:
    """Says in a line how far a build is.

    Args:
        packages: how many were compiled.
        newest: the one that was compiled last.
    """
    return f"{packages} of about {max(EXPECTED_PACKAGES, packages)} packages, {newest[-60:]}"


def is_package(line: str) -> bool:
    """Returns whether a line of `go build -v` names a compiled package.

    >>> is_package("k8s.io/api/core/v1"), is_package("go: downloading k8s.io/api v0.34.4")
    (True, False)
    """
    return bool(line) and " " not in line and not line.startswith(("#", "go:"))


def _compile(go: Path, package: str, target: Path, say: Callable[[str], None]) -> None:
    flags = link_flags(pinned_versions((SOURCE / "go.mod").read_text()))
    command = [str(go), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    process = subprocess.Popen(
        [*command, "-ldflags", flags, "-o", str(target), package],
        cwd=SOURCE,
        env=os.environ | {"CGO_ENABLED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    packages, said = 0, []
    try:
        for line in (raw.strip() for raw in process.stdout):
            if is_package(line):
                packages += 1
                say(progress(packages, line))
            elif line:
                said.append(line)
                say(line[:70])
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code != 0:
        end = "\n".join(line for line in said if "downloading" not in line)[-2000:]
        raise ClusterError(f"the programs could not be built; go said:\n{end}")
