"""The programs that the demo is made of; their progress goes straight to the user's terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trainyard_cli.errors import CliError

LOCAL = "trainyard_local"
IMAGES = "trainyard_images"
REFUSED = 3
"""Exit code of `trainyard cluster` on a machine that does not allow one."""


class NoClusterHere(CliError):
    """This machine does not allow a cluster; the program has said why."""


def run_module(module: str, *arguments: str) -> str:
    """Run one of Trainyard's programs; what it writes to standard output.

    Raises:
        NoClusterHere: the machine does not allow a cluster.
        CliError: the program failed; it has said why.
    """
    return run_program([sys.executable, "-m", module, *arguments], f"trainyard {arguments[0]}")


def run_program(command: Sequence[str | Path], name: str, stdin: str | None = None) -> str:
    """Run a program; what it writes to standard output.

    Raises:
        NoClusterHere: the machine does not allow a cluster.
        CliError: the program failed; it has said why.
    """
    ended = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode == REFUSED:
        raise NoClusterHere("no cluster here", REFUSED)
    if ended.returncode != 0:
        raise CliError(f"{name} failed; run the demo again when that is mended")
    return ended.stdout
