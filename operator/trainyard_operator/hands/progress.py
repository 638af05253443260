"""Reading the live progress of a running stage over HTTP.

What answers is a stranger: any program may run in a pod. It can say too much, too slowly, or
nonsense, and must not be able to harm who asks.
"""

from __future__ import annotations

import logging
from typing import Final

import aiohttp

from trainyard_api.names import PATH_PROGRESS
from trainyard_api.reported import MAX_COUNT, MAX_METRICS, MAX_NAME
from trainyard_api.status import Progress

log = logging.getLogger(__name__)

MAX_BYTES: Final = 64 * 1024
MAX_WORDS: Final = 1024
"""Characters of its message that are shown."""
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_FAULTS = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
_COUNTS = ("epoch", "epochs", "step", "steps")


def open_progress_session() -> aiohttp.ClientSession:
    """A session that asks strangers: it believes no cookie, and unpacks nothing."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=_TIMEOUT,
        auto_decompress=False,
        trust_env=False,
    )


async def read_progress(session: aiohttp.ClientSession, address: str) -> Progress | None:
    """What the program at HOST:PORT says of itself; None while it says nothing of use.

    A pod that starts, ends or is too busy to answer is ordinary, and never a failure: results
    come by the termination message.

    Args:
        session: of `open_progress_session`.
        address: HOST:PORT.
    """
    url = f"http://{address}{PATH_PROGRESS}"
    try:
        async with session.get(url, allow_redirects=False) as response:
            if response.status != 200:
                return None
            text = await _read(response)
        return None if text is None else parse_progress(text)
    except _FAULTS as error:
        log.debug("no progress from %s: %r", address, error)
        return None


def parse_progress(text: bytes) -> Progress | None:
    """Progress as status can have it; None where a number is none that a person would believe.

    Raises:
        ValueError: it is no progress.
    """
    said = Progress.model_validate_json(text)
    counts = [*(getattr(said, name) for name in _COUNTS), said.secondsLeft or 0]
    if not all(0 <= count <= MAX_COUNT for count in counts):
        return None
    named = [(name, value) for name, value in said.metrics.items() if len(name) <= MAX_NAME]
    return said.model_copy(
        update={"metrics": dict(named[:MAX_METRICS]), "message": said.message[:MAX_WORDS]}
    )


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None, and no more of it is read, where it is too long."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            response.close()
            return None
    return bytes(body)
