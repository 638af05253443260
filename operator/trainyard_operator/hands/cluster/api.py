"""The few requests that the operator makes, as plain JSON.

A typed client spends more time on its models than on the network.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from urllib.parse import urlencode

import aiohttp
import orjson

from trainyard_api.names import API_VERSION, KIND
from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.hands.cluster.answers import (
    ApiError,
    ApiUnavailable,
    Expired,
    WatchEvent,
    parse_answer,
    parse_event,
    parse_refusal,
)
from trainyard_operator.hands.cluster.connection import Connection
from trainyard_operator.hands.cluster.lines import read_lines
from trainyard_operator.hands.cluster.resources import collection_path, object_path

__all__ = ["FIELD_MANAGER", "Api", "ApiError", "ApiUnavailable", "Expired", "WatchEvent"]

FIELD_MANAGER = "trainyard"
Page = tuple[list[Manifest], str]
"""Objects of a list, and the list's resourceVersion."""
_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)
_PAGE = "100"
"""Objects that one answer to a list holds at most: as JSON they need ten times their bytes."""
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Who is interested in no more saves the API server and the network most of an object."""
_WATCH_SECONDS = 290
_WATCH_TIMEOUT = aiohttp.ClientTimeout(
    total=_WATCH_SECONDS + 30.0, sock_connect=10.0, sock_read=150.0
)
"""The API server sends a bookmark every minute; a connection that is silent for longer is dead."""
_AT_A_TIME = 12
"""Requests at a time, watches aside: with more, the API server takes longer for each, and with each
connection comes a handshake."""
_FAULTS = (aiohttp.ClientError, TimeoutError, OSError)


class Api:
    """Requests to the API server. Any of them may raise ApiError or ApiUnavailable."""

    def __init__(
        self, connection: Connection, may_write: Callable[[], bool] = lambda: True
    ) -> None:
        """Args:
        connection: to the API server.
        may_write: whether this process may change anything at the moment.
        """
        self._connection = connection
        self._may_write = may_write
        self._free = asyncio.Semaphore(_AT_A_TIME)

    async def close(self) -> None:
        """Close connections."""
        await self._connection.close()

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object, or None where there is none."""
        try:
            return await self._request("GET", object_path(kind, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(
        self, kind: str, namespace: str | None, selector: str = "", accept: str | None = None
    ) -> Page:
        """The objects of a kind, and the resourceVersion from which a watch goes on.

        Args:
            kind: of the objects.
            namespace: of the objects; None: all namespaces.
            selector: of labels.
            accept: form of the answer; whole objects by default.
        """
        items: list[Manifest] = []
        version = ""
        async for page, version in self.pages(kind, namespace, selector, accept):  # noqa: B007
            items += page
        return items, version

    async def pages(
        self, kind: str, namespace: str | None, selector: str = "", accept: str | None = None
    ) -> AsyncIterator[Page]:
        """A list page by page, so that a caller need not hold thousands of whole objects.

        All pages are of one moment, whose resourceVersion comes with each. Their items lack
        `apiVersion` and `kind`.

        Raises:
            Expired: reading took so long that the moment is forgotten.
        """
        path = collection_path(kind, namespace)
        query = {"limit": _PAGE} | ({"labelSelector": selector} if selector else {})
        while True:
            answer = await self._request("GET", path, query=query, accept=accept)
            metadata = answer.get("metadata") or {}
            yield answer.get("items") or [], metadata.get("resourceVersion", "")
            if not (token := metadata.get("continue")):
                return
            query["continue"] = token

    async def events(self, namespace: str, kind: str, name: str) -> Sequence[Manifest]:
        """The Events about one object."""
        about = {"involvedObject.kind": kind, "involvedObject.name": name}
        selector = ",".join(f"{field}={value}" for field, value in about.items())
        query = {"limit": _PAGE, "fieldSelector": selector}
        answer = await self._request("GET", collection_path("Event", namespace), query=query)
        return answer.get("items") or []

    async def count(self, kind: str, namespace: str | None) -> int:
        """How many objects of a kind there are, about."""
        path, query = collection_path(kind, namespace), {"limit": "1"}
        answer = await self._request("GET", path, query=query, accept=_METADATA_LIST)
        more = (answer.get("metadata") or {}).get("remainingItemCount") or 0
        return len(answer.get("items") or []) + int(more)

    async def metadata(self, kind: str, namespace: str | None) -> Page:
        """As `list`, of each object the metadata alone."""
        return await self.list(kind, namespace, accept=_METADATA_LIST)

    async def watch(
        self, kind: str, namespace: str | None, selector: str, resource_version: str
    ) -> AsyncIterator[WatchEvent]:
        """What happens to objects of a kind after a resourceVersion, for about five minutes.

        Raises:
            Expired: the resourceVersion is too old.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
            "resourceVersion": resource_version,
        } | ({"labelSelector": selector} if selector else {})
        target = f"{collection_path(kind, namespace)}?{urlencode(query)}"
        try:
            response = await self._connection.send("GET", target, _WATCH_TIMEOUT)
            try:
                if response.status >= 300:
                    raise parse_refusal(response, await response.read())
                async for line in read_lines(response.content):
                    yield parse_event(line)
            finally:
                response.close()
        except _FAULTS as error:
            raise ApiUnavailable(f"watch {kind}: {error or type(error).__name__}") from error

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object; the answer has its metadata alone.

        Raises:
            ApiError: among others with status 409 where one of that name exists.
        """
        metadata = manifest["metadata"]
        path = collection_path(manifest["kind"], metadata["namespace"])
        query = {"fieldManager": FIELD_MANAGER}
        return await self._request("POST", path, manifest, query, accept=_METADATA)

    async def update(self, manifest: Manifest) -> Manifest:
        """Replace an object by what it has become since it was read.

        Raises:
            ApiError: with status 409 where it is no longer of the manifest's resourceVersion.
        """
        metadata = manifest["metadata"]
        path = object_path(manifest["kind"], metadata["namespace"], metadata["name"])
        return await self._request("PUT", path, manifest, query={"fieldManager": FIELD_MANAGER})

    async def apply(self, manifest: Manifest) -> Manifest:
        """Bring an object to what is wanted (server-side apply).

        Fields that are wanted no longer are removed only if they were applied, so what was
        created is first taken for applied.
        """
        metadata = manifest["metadata"]
        path = object_path(manifest["kind"], metadata["namespace"], metadata["name"])
        await self._own(path)
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._request("PATCH", path, manifest, query, "application/apply-patch+yaml")

    async def update_status(
        self, namespace: str, name: str, version: str, status: Manifest
    ) -> Manifest:
        """Replace a job's status; the answer has the job's metadata alone.

        A patch would cost the API server as much again: it encodes the job, patches the text, and
        decodes it.

        Args:
            namespace: of the job.
            name: of the job.
            version: the resourceVersion that the job must have.
            status: all of it.

        Raises:
            ApiError: with status 409 where the job is of another version.
        """
        path = f"{object_path(KIND, namespace, name)}/status"
        metadata = {"namespace": namespace, "name": name, "resourceVersion": version}
        job = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "status": status}
        query = {"fieldManager": FIELD_MANAGER}
        return await self._request("PUT", path, job, query, accept=_METADATA)

    async def delete(
        self, namespace: str, ref: ObjectRef, *, version: str | None = None, uid: str | None = None
    ) -> Manifest | None:
        """Delete an object.

        Args:
            namespace: of the object.
            ref: of the object.
            version: the resourceVersion that it must have.
            uid: the uid that it must have.

        Returns:
            What the API server answers: the object, with a deletionTimestamp while something
            holds it; or a Status where it is gone. None where it was gone already.

        Raises:
            ApiError: with status 409 where it is another than version or uid say.
        """
        path = object_path(ref.kind, namespace, ref.name)
        body: Manifest = {"propagationPolicy": "Background"}
        wanted = {"resourceVersion": version, "uid": uid}
        if preconditions := {key: value for key, value in wanted.items() if value is not None}:
            body["preconditions"] = preconditions
        try:
            return await self._request("DELETE", path, body)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _own(self, path: str) -> None:
        """Turn our ownership by creation of an object's fields into one by application."""
        metadata = (await self._request("GET", path))["metadata"]
        entries = metadata.get("managedFields") or []
        ours = [
            e for e in entries if e.get("manager") == FIELD_MANAGER and not e.get("subresource")
        ]
        created = [entry for entry in ours if entry["operation"] == "Update"]
        if not created or len(ours) != len(created):
            return
        created[0]["operation"] = "Apply"
        version = metadata["resourceVersion"]
        patch = {"metadata": {"managedFields": entries, "resourceVersion": version}}
        query = {"fieldManager": FIELD_MANAGER}
        await self._request("PATCH", path, patch, query, "application/merge-patch+json")

    async def _request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
    ) -> Manifest:
        if method != "GET" and not self._may_write():
            raise ApiUnavailable(f"{method} {path}: another operator acts")
        target = f"{path}?{urlencode(query)}" if query else path
        data = None if body is None else _encode(body)
        try:
            async with self._free:
                response = await self._connection.send(
                    method, target, _TIMEOUT, data, None if data is None else content_type, accept
                )
                answer = await response.read()
        except _FAULTS as error:
            raise ApiUnavailable(f"{method} {path}: {error or type(error).__name__}") from error
        if response.status >= 300:
            raise parse_refusal(response, answer)
        return parse_answer(answer)


def _encode(body: Manifest) -> bytes:
    """As JSON. What a pod says may hold half a character, which only Python's own encoder takes
    (and the API server then reads as a replacement character)."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body).encode()
