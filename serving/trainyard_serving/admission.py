"""How much a process takes on at once: so many requests, so many bytes of their bodies.

Beyond that, requests are refused at once. Without this bound a burst would end the pod by its
memory limit, and all the requests that it had accepted with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainyard_serving.refusals import Refusal

_BODIES = 2
"""Bodies of the largest size that are held at once."""


class Admission:
    """Counts what is in flight. To be used in the event loop's thread alone.

    Refused are 429, not 503: a busy process is no reason to take its model out of service.

    Args:
        max_in_flight: requests at once.
        max_body_bytes: bytes of one body.
    """

    def __init__(self, max_in_flight: int, max_body_bytes: int) -> None:
        self.max_body_bytes = max_body_bytes
        self.in_flight = 0
        self._max_in_flight = max_in_flight
        self._bytes = 0

    @contextmanager
    def admit(self) -> Iterator[Ticket]:
        """Lets one request in.

        Raises:
            Refusal: 429 when too many are in flight.
        """
        if self.in_flight >= self._max_in_flight:
            raise _busy(f"{self.in_flight} requests are in flight")
        ticket = Ticket(self)
        self.in_flight += 1
        try:
            yield ticket
        finally:
            self.in_flight -= 1
            self._bytes -= ticket.body_bytes

    def reserve(self, count: int) -> None:
        """Sets `count` bytes aside; 429 where the bodies in flight are too many bytes."""
        if self._bytes + count > _BODIES * self.max_body_bytes:
            raise _busy(f"bodies of {self._bytes} bytes are in flight")
        self._bytes += count


class Ticket:
    """One admitted request."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.body_bytes = 0

    def check(self, count: int) -> None:
        """Refuses a body of `count` bytes where that is too large (413)."""
        most = self._admission.max_body_bytes
        if count > most:
            raise Refusal(413, f"the body is larger than {most} bytes; send fewer rows at once")

    def grow(self, count: int) -> None:
        """Accounts for `count` more bytes of the body.

        Raises:
            Refusal: 413 for a body that is too large, 429 where others hold too many bytes.
        """
        self.check(self.body_bytes + count)
        self._admission.reserve(count)
        self.body_bytes += count


def _busy(what: str) -> Refusal:
    return Refusal(429, f"too busy: {what}; try again", {"Retry-After": "1"})
