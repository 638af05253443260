"""Starts programs that outlive this one, and knows them again later.

A process id alone names nothing for long: the number is given to somebody else's process later.
So a PID file holds the time the process started and the boot it started in as well, and only a
process that agrees in all three is ours to watch or to end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trainyard_local.packages import search_path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LOG_LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True)
class Mark:
    """What tells a process apart from all others.

    Attributes:
        pid: its number.
        start: when it started, in clock ticks since the boot.
        boot: the boot's identity.
    """

    pid: int
    start: int
    boot: str


def parse_stat(text: str) -> tuple[str, int]:
    """Reads a process's state and start time out of /proc/PID/stat.

    >>> parse_stat("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0")
    ('S', 4711)
    """
    # The name may hold anything, brackets and spaces included; the fields begin after the last.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def mark_of(pid: int) -> Mark | None:
    """Returns the mark of a living process, None when there is none of that number."""
    try:
        state, start = parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (OSError, IndexError, ValueError):
        return None
    if state in "ZX":
        return None
    return Mark(pid=pid, start=start, boot=BOOT_ID.read_text().strip())


def is_alive(mark: Mark | None) -> bool:
    """Returns whether the very process that the mark was taken of still lives."""
    return mark is not None and mark_of(mark.pid) == mark


def read_mark(path: Path) -> Mark | None:
    """Reads a PID file; None when it is missing or was not written whole."""
    try:
        content = json.loads(path.read_text())
        return Mark(int(content["pid"]), int(content["start"]), str(content["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_mark(path: Path, mark: Mark) -> None:
    """Writes a PID file, so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(mark)) + "\n")
    unfinished.replace(path)


def start(command: Sequence[str], pid_file: Path, log: Path) -> Mark:
    """Starts a program in a session of its own.

    Args:
        command: the program and its arguments.
        pid_file: takes the process's mark.
        log: takes what the program says; one that grew large is put aside as NAME.log.1.

    Raises:
        OSError: the program could not be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=clean_environment(os.environ),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    mark = mark_of(process.pid)
    if mark is None:
        mark = Mark(process.pid, 0, "")  # ended at once; whoever waits for it will find out
    write_mark(pid_file, mark)
    # The process is watched by its mark, and outlives this program: it must not be waited for.
    process.returncode = 0
    return mark


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns what the cluster's programs see: no proxy, for all they talk to is the node."""
    kept = {"HOME", "LANG", "TMPDIR", "SSL_CERT_FILE"}
    chosen = {name: value for name, value in environment.items() if name in kept}
    return {"HOME": "/root", **chosen, "PATH": search_path()}


def end(marks: Iterable[Mark], patience: float = 3.0) -> None:
    """Ends processes: asks first, and after `patience` seconds no longer."""
    living = [mark for mark in marks if send(mark, signal.SIGTERM)]
    if not wait_until(lambda: not any(is_alive(mark) for mark in living), patience):
        for mark in living:
            send(mark, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(mark) for mark in living), 5.0)


def kill(marks: Iterable[Mark]) -> None:
    """Ends processes without asking."""
    living = [mark for mark in marks if send(mark, signal.SIGKILL)]
    wait_until(lambda: not any(is_alive(mark) for mark in living), 5.0)


def send(mark: Mark, number: signal.Signals) -> bool:
    """Sends a signal; returns whether the process was still there to get it."""
    if not is_alive(mark):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(mark.pid, number)
        return True
    return False


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Waits until something holds; returns whether it came to hold within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def all_pids() -> list[int]:
    """Returns the numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid: int) -> list[str]:
    """Returns a process's arguments, none when it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").split("\0")[:-1]
