"""Packages of Debian, fetched and unpacked without root; Fashion-MNIST also as it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trainyard_cli.datasets.catalogue import KnownSet
from trainyard_cli.datasets.source import TIMEOUT_SECONDS, SourceFailed, run_program, unpack_gzip
from trainyard_cli.show.transfer import Transfer

PACKAGE: Final = "dataset-fashion-mnist"
INSTALLED: Final = Path("/usr/share/datasets/fashion-mnist")


class DebianInstalled:
    """The installed package."""

    title = f"the installed Debian package {PACKAGE}"

    def __init__(self, folder: Path = INSTALLED) -> None:
        self._folder = folder

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:  # noqa: ARG002
        if not self._folder.is_dir():
            raise SourceFailed("not installed")
        _unpack(known, self._folder, folder)


class DebianPackage:
    """The package from the distribution's archive."""

    title = f"the Debian package {PACKAGE}"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        unpacked = download_package(PACKAGE, folder, transfer)
        _unpack(known, unpacked / INSTALLED.relative_to("/"), folder)


def download_package(package: str, folder: Path, transfer: Transfer) -> Path:
    """Fetch a package and unpack it without root; the folder in which its files are.

    Raises:
        SourceFailed: apt cannot fetch it.
    """
    with transfer.step(f"apt-get download {package}"):
        _download(package, folder)
    archives = list(folder.glob(f"{package}_*.deb"))
    if len(archives) != 1:
        raise SourceFailed("apt-get downloaded nothing")
    run_program(["dpkg-deb", "-x", archives[0].name, "unpacked"], folder)
    return folder / "unpacked"


def _download(package: str, folder: Path) -> None:
    """With the machine's package lists; where they lack it, with lists of our own."""
    command = ["apt-get", "-q", *_options(APT__Sandbox__User="root")]
    try:
        run_program([*command, "download", package], folder)
    except SourceFailed as error:
        if "Unable to locate" not in str(error) and "no installation candidate" not in str(error):
            raise
        lists, cache = folder / "lists", folder / "cache"
        (lists / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        command += _options(Dir__State__Lists=str(lists), Dir__Cache=str(cache))
        run_program([*command, "update"], folder)
        run_program([*command, "download", package], folder)


def _options(**options: str) -> list[str]:
    """Options of apt, whose names have '::' where Python has '__'."""
    pairs = {name.replace("__", "::"): value for name, value in options.items()}
    pairs["Acquire::http::Timeout"] = pairs["Acquire::https::Timeout"] = str(TIMEOUT_SECONDS)
    pairs["Acquire::Retries"] = "1"
    return [part for name, value in pairs.items() for part in ("-o", f"{name}={value}")]


def _unpack(known: KnownSet, packed: Path, folder: Path) -> None:
    for name in known.digests:
        source = packed / f"{name}.gz"
        if not source.exists():
            raise SourceFailed(f"the package has no {source.name}")
        unpack_gzip(source, folder / name)
