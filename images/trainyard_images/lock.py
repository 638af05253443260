"""One build at a time: a second one waits, and then mostly finds everything built."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainyard_images.console import Console


@contextmanager
def held(path: Path, console: Console) -> Iterator[None]:
    """Holds the lock while the body runs; the kernel lets it go when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with console.step("waiting for another build"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
