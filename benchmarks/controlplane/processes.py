"""CPU and memory of processes, as the kernel counts them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """Of one process, in MiB."""

    resident: float
    peak: float


def cpu_seconds(pid: int) -> float:
    """Returns the CPU that a process has used since its start, in program and kernel."""
    # The name in parentheses may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> Memory:
    """Returns the resident memory of a process, now and at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = {
        name: int(value.split()[0])
        for name, _, value in (line.partition(":") for line in lines)
        if name in ("VmRSS", "VmHWM")
    }
    return Memory(round(kilobytes["VmRSS"] / 1024, 1), round(kilobytes["VmHWM"] / 1024, 1))


class CpuMeter:
    """The CPU that named processes use from now on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {name: cpu_seconds(pid) for name, pid in pids.items()}

    def seconds(self) -> dict[str, float]:
        """Returns what each has used since."""
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}
