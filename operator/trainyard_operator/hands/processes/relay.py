"""A Service: a stable port on loopback that leads to the pods its selector names."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from trainyard_operator.hands.processes.translation import LOOPBACK

_CHUNK = 65536


class Relay:
    """Forwards TCP connections to one of the current targets, in turn."""

    def __init__(self, port: int, targets: Callable[[], Sequence[int]]) -> None:
        self.port = port
        self._targets = targets
        self._turn = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Stop listening; connections that are open go on."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        targets = self._targets()
        if not targets:
            writer.close()
            return
        self._turn += 1
        try:
            upstream = await asyncio.open_connection(LOOPBACK, targets[self._turn % len(targets)])
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, upstream[1]), _pump(upstream[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
