"""Lines of any length out of a stream.

aiohttp's own `readline` gives up at 64 KiB; an object of the API may have 1.5 MB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp


async def read_lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a stream. An end without a newline was cut off, and is left out."""
    parts: list[bytes] = []
    async for chunk in stream.iter_any():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            parts.append(end)
            if line := b"".join(parts):
                yield line
            parts.clear()
        if rest:
            parts.append(rest)
