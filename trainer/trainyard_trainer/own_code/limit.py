"""Code that does not come back is ended: nobody else would notice.

The watchdog of the training knows the pace of steps. What comes before them has none, and a gang
whose workers all wait in the author's code would hold its GPUs for good.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from trainyard_trainer import termination
from trainyard_trainer.errors import InvalidSpec

_log = logging.getLogger(__name__)

LIMIT_SECONDS: Final = 300.0
"""Longer than reading the weights of a large model takes."""


def _end(error: InvalidSpec) -> None:
    _log.error("%s: %s", error.reason, error)
    termination.write_failure(error, os.environ)
    logging.shutdown()
    os._exit(error.exit_code)


@contextmanager
def within_reason(
    what: str, seconds: float = LIMIT_SECONDS, end: Callable[[InvalidSpec], None] = _end
) -> Iterator[None]:
    """End this process where what is done inside takes too long.

    Args:
        what: the field and what is run, for the message.
        end: is called in another thread.
    """
    thread = threading.get_ident()

    def give_up() -> None:
        end(
            InvalidSpec(
                f"{what} has not come back after {seconds:.0f} s{_standing(thread)}; it must "
                "return what is asked for, and leave training to Trainyard"
            )
        )

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _standing(thread: int) -> str:
    """Where a thread is."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    last = traceback.extract_stack(frame)[-1]
    return f" (at {last.filename}:{last.lineno} in {last.name})"
