"""Gives the kernel settings back that the kubelet changes.

A kubelet expects to own its machine and sets these for the whole of it. Here it is a guest: what
they were is written down before it starts, and set again when it has gone.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

SYSCTL = Path("/proc/sys")
CHANGED_BY_KUBELET = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def remember(file: Path, others: list[Path], root: Path = SYSCTL) -> None:
    """Writes down the settings, unless that was done since the cluster's start.

    Args:
        file: takes them.
        others: the same file of the other clusters. What one of them remembers is older than
            what the machine says, for its kubelet has changed that already.
        root: the folder of the settings.
    """
    if file.exists():
        return
    older = next((other.read_text() for other in others if other.exists()), None)
    file.write_text(older or json.dumps(_read(root)))


def restore(file: Path, others: list[Path] | None = None, root: Path = SYSCTL) -> None:
    """Sets the settings to what they were, unless another cluster still needs them."""
    others = list(file.parent.parent.glob(f"*/{file.name}")) if others is None else others
    if not file.exists() or any(other != file for other in others):
        return
    for name, value in json.loads(file.read_text()).items():
        if name in CHANGED_BY_KUBELET:
            with contextlib.suppress(OSError):
                (root / name).write_text(value)


def _read(root: Path) -> dict[str, str]:
    return {
        name: (root / name).read_text().strip()
        for name in CHANGED_BY_KUBELET
        if (root / name).exists()
    }
