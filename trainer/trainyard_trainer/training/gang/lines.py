"""What workers and chief say to each other at the rendezvous: short lines, cut from a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainyard_trainer.pod import Pod

WAIT: Final = b"wait"
GO: Final = b"go"
OK: Final = b"ok"
NOW: Final = b"now"
LONGEST: Final = 512
"""Bytes of a line; a name of a job, of a namespace and of a run are 63 each at most."""
ANSWER_SECONDS: Final = 5.0
"""How long an answer may take that needs no thought."""


def hello(pod: Pod, index: int) -> bytes:
    """What a worker says of itself; workers of other attempts are turned away by it."""
    return f"trainyard {pod.namespace}/{pod.job} {pod.run} {pod.attempt} {index}".encode()


class TooLong(Exception):
    """A line without an end: no worker says so much."""


@dataclass
class Lines:
    """Cuts what arrives in pieces into lines."""

    rest: bytes = b""

    def cut(self, piece: bytes) -> list[bytes]:
        """The lines that are complete with `piece`, without their ends.

        Raises:
            TooLong: what is left could be no line any more.
        """
        *lines, self.rest = (self.rest + piece).split(b"\n")
        if len(self.rest) > LONGEST:
            raise TooLong
        return lines
