"""How many processors are this process's own, for whoever starts threads.

TensorFlow starts as many as the machine has, whatever the container may use: workers that share a
machine, or have a quota of it, then wait for each other's threads and for their turn.
"""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Final

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
_OLD_QUOTA: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_OLD_PERIOD: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
_UNLIMITED: Final = ("max", "-1")
TENSORFLOW_THREADS: Final = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def usable_cpus() -> int:
    """Processors that this process may use: its container's quota, rounded up."""
    return cpus_within(len(os.sched_getaffinity(0)), _quota())


def cpus_within(allowed: int, quota: tuple[str, str] | None) -> int:
    """Processors of a quota, rounded up, at least 1.

    Args:
        allowed: processors that the process may run on.
        quota: microseconds of work in a period, and of the period, as the control group says it;
            None: there is none.
    """
    if quota is None or quota[0] in _UNLIMITED:
        return allowed
    try:
        share = math.ceil(int(quota[0]) / int(quota[1]))
    except (ValueError, ZeroDivisionError):
        return allowed
    return max(1, min(allowed, share))


def own_cpus(cpus: int, workers: Sequence[str], index: int) -> int:
    """A worker's part of the processors, where others of its gang share them, at least 1.

    Args:
        cpus: that this process may use.
        workers: addresses (host:port) of the gang; those of one host are one machine's, as on a
            laptop. Pods have an address each, and a quota where they are to be held apart.
        index: of this worker.
    """
    if not workers:
        return cpus
    hosts = [address.rpartition(":")[0] for address in workers]
    return max(1, cpus // hosts.count(hosts[index]))


def tell_tensorflow(
    environ: MutableMapping[str, str], own: int, present: int | None = None
) -> None:
    """Let TensorFlow start no more threads than there are processors for; before it is imported.

    What the user has set stays.

    Args:
        own: processors of this process.
        present: what TensorFlow would take; by default those that this process may run on.
    """
    if own < (present or len(os.sched_getaffinity(0))):
        for name in TENSORFLOW_THREADS:
            environ.setdefault(name, str(own))


def _quota() -> tuple[str, str] | None:
    try:
        quota, period = _QUOTA.read_text().split()
    except (OSError, ValueError):
        pass
    else:
        return quota, period
    try:
        return _OLD_QUOTA.read_text().strip(), _OLD_PERIOD.read_text().strip()
    except OSError:
        return None
