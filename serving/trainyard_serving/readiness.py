"""Whether the process wants requests: not any more once it was told to end."""

from __future__ import annotations


class Readiness:
    """Ready from the start (a process listens only after its model was loaded) until drained."""

    def __init__(self) -> None:
        self.ready = True

    def drain(self) -> None:
        """Asks for no more requests; those that still come are answered."""
        self.ready = False
