"""A bound on what holds Python's interpreter lock.

TensorFlow's start waits for an hour for a worker that has died since all had met, and no thread of
Python runs meanwhile: a watchdog of ours could not bark. So the C library is asked to end the
process: a timer of POSIX starts a thread of its own, which needs no interpreter.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from trainyard_api.exit_codes import ExitCode

_log = logging.getLogger(__name__)

_SIGEV_THREAD: Final = 2


class _Event(ctypes.Structure):
    """glibc's and musl's `struct sigevent`, as far as it is used; 64 bytes in all."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 32),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec`: how often (never again) and when first, in seconds and nanoseconds."""

    _fields_ = (
        ("interval", ctypes.c_long * 2),
        ("first", ctypes.c_long * 2),
    )


@contextmanager
def ends_after(seconds: float, code: ExitCode) -> Iterator[None]:
    """End the process with `code` where what is done within this takes longer than `seconds`.

    It ends at once and without a word, so the caller says beforehand what will have happened.
    Only Linux has such timers (in its C library since glibc 2.34): elsewhere, as on a laptop,
    nothing is bounded.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform != "linux" or not hasattr(library, "timer_create"):
        _log.debug("no timer bounds what follows: this system has none")
        yield
        return
    leave = ctypes.cast(library._exit, ctypes.c_void_p).value
    event = _Event(value=int(code), notify=_SIGEV_THREAD, function=leave)
    timer = ctypes.c_void_p()
    _check(library.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)))
    try:
        whole, rest = divmod(seconds, 1)
        times = _Times(first=(ctypes.c_long * 2)(int(whole), int(rest * 1e9)))
        _check(library.timer_settime(timer, 0, ctypes.byref(times), None))
        yield
    finally:
        library.timer_delete(timer)


def _check(outcome: int) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no timer can be made (errno {number})")
