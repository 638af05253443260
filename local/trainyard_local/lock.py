"""Lets one command at a time do what two at once would spoil."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainyard_local.console import Console


@contextmanager
def held(file: Path, console: Console, waiting_for: str) -> Iterator[None]:
    """Holds a lock; where another command holds it, waits and says so.

    The kernel lets go of it when its holder ends, however that happens.

    Args:
        file: the lock; its content means nothing.
        console: shows the waiting.
        waiting_for: what the other command does, as in "another command that ...".
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with console.step(f"waiting for another command that {waiting_for}"):
                fcntl.flock(opened, fcntl.LOCK_EX)
        yield
