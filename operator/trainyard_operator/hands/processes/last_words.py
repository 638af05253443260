"""What a process has said at its end, in the few bytes that a pod's message has.

The kubelet takes the end of a log as it is. TensorFlow and Keras print long after the exception
that ended them, so on a laptop, where the whole log is at hand, the exception is looked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MESSAGE_BYTES: Final = 4096
"""What the kubelet takes of a termination message: its last bytes."""
LOG_BYTES: Final = 2048
"""What it takes of a log, where there is no message."""

_SEARCHED: Final = 256 * 1024
_TRACEBACK: Final = b"Traceback (most recent call last):"
_GAP: Final = b"\n[...]\n"


def termination_message(path: Path) -> str:
    """The termination message in a file; empty where there is none."""
    return _last_bytes(path, MESSAGE_BYTES).decode(errors="replace")


def last_words(log: Path) -> str:
    """The last exception in a log and what came after it, in at most LOG_BYTES bytes.

    Where both do not fit, the exception's first lines and the log's last ones are kept. Without
    an exception it is the end of the log, as from the kubelet.
    """
    content = _last_bytes(log, _SEARCHED)
    start = _start_of_exception(content)
    told = content[start:].strip() if start is not None else content[-LOG_BYTES:]
    if len(told) > LOG_BYTES:
        half = (LOG_BYTES - len(_GAP)) // 2
        told = _whole_lines_at_start(told[:half]) + _GAP + _whole_lines_at_end(told[-half:])
    return told.decode(errors="replace")


def _start_of_exception(log: bytes) -> int | None:
    """Where the last exception begins: with its type, not with the calls that led to it."""
    start = log.rfind(_TRACEBACK)
    if start < 0:
        return None
    place = log.find(b"\n", start) + 1
    while 0 < place < len(log) and log[place : place + 1] in (b" ", b"\t"):
        place = log.find(b"\n", place) + 1
    # Nothing follows where the program was killed while it wrote the calls.
    return place if 0 < place < len(log) else start


def _whole_lines_at_start(text: bytes) -> bytes:
    return text.rpartition(b"\n")[0] or text


def _whole_lines_at_end(text: bytes) -> bytes:
    return text.partition(b"\n")[2] or text


def _last_bytes(path: Path, count: int) -> bytes:
    """The end of a file of any size; what a program has put in its place is no file."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - count))
        return file.read(count)
