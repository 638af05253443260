"""Data at a web address: one file, read over https by ranges.

The host's certificate is checked against the machine's authorities, or those of SSL_CERT_FILE.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from trainyard_api.buckets import Refused
from trainyard_trainer.store.refusals import Role, translated

if TYPE_CHECKING:
    import aiohttp
    from fsspec import AbstractFileSystem

_WAITS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of what is transient."""
_CONNECT_SECONDS: Final = 5.0
_BETWEEN_BYTES_SECONDS: Final = 20.0
_TRANSIENT: Final = (429, 500, 502, 503, 504)


def filesystem(url: str) -> AbstractFileSystem:
    """fsspec's view of the web; its paths are URLs.

    A URL that is written as it goes over the wire is left as it is: a signed one holds no longer
    where `%2F` has become a slash.
    """
    import aiohttp
    from fsspec.implementations.http import HTTPFileSystem

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=_CONNECT_SECONDS, sock_read=_BETWEEN_BYTES_SECONDS
    )
    options = {"trust_env": True, "timeout": timeout, "middlewares": (_again,)}
    return HTTPFileSystem(
        skip_instance_cache=True,
        client_kwargs=options,
        encoded=url.isascii() and " " not in url,
        ssl=ssl.create_default_context(),
    )


async def _again(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Ask again where the host or the way to it fails for a moment; all requests only read."""
    import aiohttp

    for wait in _WAITS:
        try:
            answer = await handler(request)
        except aiohttp.ClientConnectorCertificateError:
            raise
        except (aiohttp.ClientConnectionError, TimeoutError):
            pass
        else:
            if answer.status not in _TRANSIENT:
                return answer
            answer.release()
        await asyncio.sleep(wait)
    return await handler(request)


def exists(web: AbstractFileSystem, url: str) -> bool:
    """Whether the host has the file."""
    try:
        web.info(url)
    except FileNotFoundError as error:
        if _refusal(error) is Refused.ABSENT:
            return False
        raise
    return True


def size_and_identity(web: AbstractFileSystem, url: str) -> tuple[int, str]:
    """Bytes of a file, and what changes when it does."""
    found: dict[str, Any] = web.info(url)
    size = int(found.get("size") or 0)
    return size, str(found.get("ETag") or found.get("Last-Modified") or size)


@contextmanager
def guarded(url: str, role: Role) -> Iterator[None]:
    """Turn what a host refuses into the role's errors."""
    import aiohttp

    try:
        yield
    except (OSError, aiohttp.ClientError) as error:
        raise translated(_refusal(error), url.partition("?")[0], role, "read") from None


def _refusal(error: BaseException) -> Refused:
    """What an error of aiohttp means; fsspec hides most of them behind FileNotFoundError."""
    import aiohttp

    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return _refusal(error.__cause__)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Refused.CERTIFICATE
    if isinstance(error, aiohttp.ClientResponseError):
        known = {401: Refused.CREDENTIALS, 403: Refused.CREDENTIALS}
        known |= {404: Refused.ABSENT, 410: Refused.ABSENT}
        return known.get(error.status, Refused.AWAY)
    return Refused.ABSENT if isinstance(error, FileNotFoundError) else Refused.AWAY
