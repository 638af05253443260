"""Runs a program, shows what it is at, and takes it along when this one is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from trainyard_images.errors import CommandFailed

_KEPT_LINES = 20
_END_SECONDS = 10.0


def run(
    title: str,
    command: Sequence[str],
    say: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Runs a program to its end.

    It gets a process group of its own: on Ctrl-C it is told to end once, by this process, which
    waits for it. So it can put away what it has mounted before anything else happens.

    Args:
        title: what the program is to do, for messages.
        command: the program and its arguments.
        say: called with each line that it writes, to either stream.
        environment: variables to set for it.

    Returns:
        Its standard output; empty where `say` takes the lines.

    Raises:
        CommandFailed: its exit code is not 0.
    """
    variables = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    variables |= environment or {}
    process = subprocess.Popen(
        list(command),
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if say is None else subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        if say is None:
            output, said = process.communicate()
            lines = deque((said or output).splitlines(), maxlen=_KEPT_LINES)
        else:
            output, lines = "", _follow(process, say)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    if code != 0:
        raise CommandFailed(title, code, lines)
    return output


def _follow(process: subprocess.Popen[str], say: Callable[[str], None]) -> deque[str]:
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    assert process.stdout is not None
    for line in process.stdout:
        if text := line.strip():
            lines.append(text[:400])
            say(text)
    return lines


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a program and all that it has started: gently, and what is left by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
