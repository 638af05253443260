"""Reading a request's body, within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from trainyard_serving.admission import Ticket
from trainyard_serving.refusals import Refusal

BODY_SECONDS = 30.0
"""Time that a client has for sending a body."""


async def read_body(request: Request, ticket: Ticket) -> bytes:
    """The whole body.

    Raises:
        Refusal: 408 too slow, 413 too large, 415 compressed, 429 too busy.
        ClientDisconnect: the client went away.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Refusal(415, f"the body is compressed ({encoding}); send plain JSON")
    if "inference-header-content-length" in request.headers:
        raise Refusal(415, "the binary data extension is not served; send data as JSON numbers")
    announced = request.headers.get("content-length", "")
    if announced.isdigit():
        ticket.check(int(announced))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _chunks(request, ticket)
    except TimeoutError as error:
        raise Refusal(
            408, f"the body did not arrive within {BODY_SECONDS:g} s", {"Connection": "close"}
        ) from error


async def _chunks(request: Request, ticket: Ticket) -> bytes:
    chunks = []
    async for chunk in request.stream():
        ticket.grow(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)
