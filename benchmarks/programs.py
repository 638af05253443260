"""Programs of this machine, found by what they were started with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def trainer_of(pod: str) -> int:
    """The process of the trainer in a pod, as this machine sees it.

    Raises:
        LookupError: there is none.
    """
    for process, command in _programs():
        with contextlib.suppress(OSError):
            variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
            if f"HOSTNAME={pod}".encode() in variables and b"trainyard_trainer" in command:
                return process
    raise LookupError(f"{pod} has no process on this machine")


def kubelet_of(cluster: str) -> int:
    """The process of a local cluster's kubelet.

    Raises:
        LookupError: there is none.
    """
    folder = f"/clusters/{cluster}/".encode()
    for process, (program, *arguments) in _programs():
        if program.endswith(b"/kubelet") and any(folder in argument for argument in arguments):
            return process
    raise LookupError(f"cluster {cluster} has no kubelet on this machine")


def _programs() -> Iterator[tuple[int, list[bytes]]]:
    """All processes, and their command lines."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")
