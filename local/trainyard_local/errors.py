"""What can go wrong, in words that tell the user what to do next."""

from __future__ import annotations

from pathlib import Path


class ClusterError(Exception):
    """Something failed; the message says what, and what to do. Exit code 1."""

    exit_code = 1


class UsageError(ClusterError):
    """The command was asked for something that makes no sense. Exit code 2."""

    exit_code = 2


class Refused(ClusterError):
    """This machine cannot run a cluster at all. Exit code 3.

    Args:
        reason: what is missing, as half a sentence.
    """

    exit_code = 3

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot run a cluster here: {reason}; use 'trainyard run' instead")


class ComponentFailed(ClusterError):
    """A program of the cluster died or did not become ready.

    Args:
        component: the program's name.
        what: what was seen, as half a sentence.
        log: its log.
        hint: what to do, as a sentence.
    """

    def __init__(self, component: str, what: str, log: Path, hint: str) -> None:
        lines = telling_lines(last_lines(log, 200), 15)
        shown = "\n".join(f"  | {line}" for line in lines) or "  | (empty)"
        super().__init__(f"{component} {what}. {hint}\nThe end of {log}:\n{shown}")


class Interrupted(BaseException):
    """The user, or the system, asked this command to end. Exit code 130.

    Not an Exception, like KeyboardInterrupt, so that nothing takes it for a failure to handle.
    """

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("interrupted; 'up' goes on from here, 'down' clears")


def last_lines(path: Path, count: int) -> list[str]:
    """Returns the last `count` lines of a file, none when there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 65_536))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line[:400] for line in text.splitlines()[-count:]]


def telling_lines(lines: list[str], count: int) -> list[str]:
    """Returns the lines that say why a program ended: the last ones, or those before a panic.

    A Go program that panics prints its stacks after the reason, often longer than the reason.
    """
    panics = [number for number, line in enumerate(lines) if line.startswith("panic: ")]
    if not panics:
        return lines[-count:]
    end = panics[-1] + 1
    return lines[max(0, end - count) : end]
