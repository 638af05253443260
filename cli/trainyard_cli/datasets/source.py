"""A place that may have a data set."""

from __future__ import annotations

import gzip
import subprocess
import zlib
from pathlib import Path
from typing import Final, Protocol

from trainyard_cli.datasets.catalogue import KnownSet
from trainyard_cli.show.transfer import Transfer

TIMEOUT_SECONDS: Final = 10
"""How long a host may be silent."""
_PROGRAM_SECONDS: Final = 600


class SourceFailed(Exception):
    """A place does not have it, or cannot be reached; the message says why."""


class Source(Protocol):
    """A place that may have a data set."""

    @property
    def title(self) -> str:
        """How people call it."""

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        """Write the files of a data set, uncompressed, into a folder.

        Raises:
            SourceFailed: they cannot be had here.
        """


def run_program(command: list[str], folder: Path) -> None:
    """Run a program that fetches something.

    Raises:
        SourceFailed: it is not there, takes too long, or fails.
    """
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROGRAM_SECONDS,
        )
    except FileNotFoundError as error:
        raise SourceFailed(f"there is no {command[0]} on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise SourceFailed(f"{command[0]} took more than {_PROGRAM_SECONDS} s") from error
    if ended.returncode != 0:
        lines = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
        wrong = [line for line in lines if line.startswith(("E:", "ERROR", "npm error"))] or lines
        said = wrong[0].strip() if wrong else f"exit code {ended.returncode}"
        raise SourceFailed(f"{Path(command[0]).name} failed: {said}")


def unpack_gzip(source: Path, target: Path) -> None:
    """Write the uncompressed content of a gzip file.

    Raises:
        SourceFailed: it is no such file, or damaged.
    """
    try:
        target.write_bytes(gzip.decompress(source.read_bytes()))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceFailed(f"{source.name} is damaged: {error}") from error
