"""The API server, raw: plain objects over one HTTP session, so that asking costs little CPU.

The official client would cost more of the two cores than the operator that is measured.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import orjson

Object = dict[str, Any]
Handler = Callable[[str, Object], None]

JSON = "application/json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
SERVER_SIDE_APPLY = "application/apply-patch+yaml"

log = logging.getLogger(__name__)


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Access:
    """Where the API server is, and the folder of the certificates of who may do anything."""

    server: str
    pki: Path

    def context(self) -> ssl.SSLContext:
        """Returns what the connection is secured by."""
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        return context


class Api:
    """One session. Use as `async with`.

    Args:
        access: to the API server.
        connections: requests under way at once, watches included.
    """

    def __init__(self, access: Access, connections: int = 32) -> None:
        connector = aiohttp.TCPConnector(limit=connections, ssl=access.context())
        self._session = aiohttp.ClientSession(access.server, connector=connector)

    async def __aenter__(self) -> Api:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> Object:
        """Returns an object or a list."""
        return await self._ask("GET", path)

    async def create(self, path: str, manifest: Object) -> Object:
        """Creates an object in the collection at `path`."""
        return await self._ask("POST", path, manifest)

    async def patch(self, path: str, patch: Object, kind: str = STRATEGIC_MERGE) -> Object:
        """Changes the object at `path`."""
        return await self._ask("PATCH", path, patch, kind)

    async def delete(self, path: str, options: Object) -> Object:
        """Deletes the object at `path`."""
        return await self._ask("DELETE", path, options)

    async def watch(self, path: str, selector: str, handle: Handler) -> None:
        """Gives `handle` every event of a collection, for ever.

        A watch that ends begins anew, with all objects as added: `handle` must bear with that. It
        begins with what the API server has in memory (resourceVersion 0): one that is busy takes
        too long to find out what is newest.
        """
        query = {"watch": "1", "resourceVersion": "0", "labelSelector": selector}
        while True:
            try:
                async for event in self._events(path, query):
                    if event["type"] == "ERROR":
                        log.warning("watch of %s: %s", path, event["object"])
                        break
                    handle(event["type"], event["object"])
            except aiohttp.ClientError as error:
                log.warning("watch of %s: %s", path, error)
            await asyncio.sleep(0.1)

    async def _events(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Object]:
        forever = aiohttp.ClientTimeout(total=None)
        async with self._session.get(path, params=query, timeout=forever) as response:
            response.raise_for_status()
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield orjson.loads(line)

    async def _ask(
        self, method: str, path: str, body: Object | None = None, kind: str = JSON
    ) -> Object:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": kind}
        async with self._session.request(method, path, data=data, headers=headers) as response:
            content = await response.read()
            if response.status >= 400:
                raise ApiError(response.status, f"{method} {path}: {content.decode()[:500]}")
            found: Object = orjson.loads(content)
            return found
