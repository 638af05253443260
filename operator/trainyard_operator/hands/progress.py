"""Reading the live progress of a running stage over HTTP."""

from __future__ import annotations

import logging

import aiohttp
from pydantic import ValidationError

from trainyard_api.names import PATH_PROGRESS
from trainyard_api.status import Progress

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


async def read_progress(session: aiohttp.ClientSession, address: str) -> Progress | None:
    """What the program at HOST:PORT says of itself; None while it does not answer.

    A pod that starts, ends or is too busy to answer is ordinary, and never a failure: results
    come by the termination message.
    """
    try:
        async with session.get(f"http://{address}{PATH_PROGRESS}", timeout=_TIMEOUT) as response:
            if response.status != 200:
                return None
            return Progress.model_validate_json(await response.text())
    except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
        log.debug("no progress from %s: %s", address, error)
        return None
