"""The API server as the users, the node and the observer see it: directly, and with patience.

The API server is killed in the middle of a run. Whoever is not the operator waits until it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

import aiohttp
import orjson

from benchmarks.controlplane.api import JSON, Access, Object

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_PAUSE_SECONDS = 0.2
_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=None)
_FAULTS = (aiohttp.ClientError, TimeoutError, OSError)


class Refused(Exception):
    """The API server has answered, and its answer is no."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Listener:
    """Who is told what there is of a kind, and what becomes of it."""

    listed: Callable[[Sequence[Object]], None]
    """All that there is at one moment."""
    happened: Callable[[str, Object], None]
    """An event's type, and the object."""


class Client:
    """Requests that are repeated until the API server answers them. Use as `async with`."""

    def __init__(self, access: Access) -> None:
        connector = aiohttp.TCPConnector(limit=0, ssl=access.context())
        self._session = aiohttp.ClientSession(access.server, connector=connector)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> Object | None:
        """An object; None where there is none."""
        try:
            return await self._ask("GET", path)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def list(self, path: str, selector: str = "") -> list[Object]:
        """The objects of a collection."""
        items: list[Object] = (await self._list(path, selector))["items"]
        return items

    async def create(self, path: str, manifest: Object) -> None:
        """Create an object; one that is there may be ours, for an answer may have been lost."""
        try:
            await self._ask("POST", path, manifest)
        except Refused as error:
            if error.status != 409:
                raise

    async def patch(self, path: str, patch: Object, kind: str = MERGE_PATCH) -> None:
        """Change an object.

        Raises:
            Refused: among others where it is gone.
        """
        await self._ask("PATCH", path, patch, kind)

    async def delete(self, path: str, uid: str, grace: int | None = None) -> None:
        """Delete an object, and no other of its name; one that is gone is gone."""
        body: Object = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            await self._ask("DELETE", path, body)
        except Refused as error:
            if error.status not in (404, 409):
                raise

    async def follow(self, path: str, selector: str, listener: Listener) -> None:
        """Tell a listener of a collection, for ever: a list, then what happens, without a gap.

        Where the watch cannot go on, another list follows.
        """
        while True:
            found = await self._list(path, selector)
            listener.listed(found["items"])
            version = found["metadata"]["resourceVersion"]
            try:
                while True:
                    version = await self._watch(path, selector, version, listener)
            except Refused:
                continue

    async def _watch(self, path: str, selector: str, version: str, listener: Listener) -> str:
        """Follow until the connection ends; the resourceVersion to go on from.

        Raises:
            Refused: it cannot go on from there.
        """
        query = {
            "watch": "1",
            "resourceVersion": version,
            "labelSelector": selector,
            "allowWatchBookmarks": "true",
        }
        try:
            async with self._session.get(path, params=query, timeout=_WATCH_TIMEOUT) as response:
                if response.status >= 400:
                    raise Refused(response.status, await response.text())
                rest = b""
                async for chunk in response.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        event = orjson.loads(line)
                        if event["type"] == "ERROR":
                            raise Refused(410, str(event["object"]))
                        version = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            listener.happened(event["type"], event["object"])
        except _FAULTS:
            pass
        await asyncio.sleep(_PAUSE_SECONDS)
        return version

    async def _list(self, path: str, selector: str) -> Object:
        suffix = f"?labelSelector={selector}" if selector else ""
        return await self._ask("GET", path + suffix)

    async def _ask(
        self, method: str, path: str, body: Object | None = None, kind: str = JSON
    ) -> Object:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": kind}
        while True:
            try:
                async with self._session.request(
                    method, path, data=data, headers=headers, timeout=_TIMEOUT
                ) as response:
                    content = await response.read()
            except _FAULTS:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if response.status >= 500 or response.status == 429:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if response.status >= 400:
                raise Refused(response.status, f"{method} {path}: {content.decode()[:500]}")
            answer: Object = orjson.loads(content)
            return answer
