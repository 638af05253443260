"""The few requests that the operator makes, as plain JSON.

The typed client spends more time on its models than on the network; it is used for what is
hard about talking to a cluster (configuration, TLS, tokens that expire), not for its models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.hands.cluster.resources import collection_path, object_path

FIELD_MANAGER = "trainyard"
_TIMEOUT_SECONDS = 30.0


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status} {reason}: {message}")

    @property
    def ordinary(self) -> bool:
        """Whether this is part of a cluster's life: things change, vanish, and are limited."""
        ending = self.status == 403 and "is being terminated" in str(self)
        return ending or self.status in (404, 409, 429)


class ApiUnavailable(Exception):
    """The API server did not answer."""


class Api:
    """Requests to the API server."""

    def __init__(self, api_client: client.ApiClient) -> None:
        self._client = api_client

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object, or None where there is none."""
        try:
            return await self._request("GET", object_path(kind, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, kind: str, namespace: str, label: str) -> list[Manifest]:
        """The objects of a kind with a label, as KEY=VALUE."""
        path = collection_path(kind, namespace)
        items = (await self._request("GET", path, query={"labelSelector": label}))["items"]
        return list(items)

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object.

        Raises:
            ApiError: among others with status 409 where one of that name exists.
        """
        metadata = manifest["metadata"]
        path = collection_path(manifest["kind"], metadata["namespace"])
        return await self._request("POST", path, manifest, query={"fieldManager": FIELD_MANAGER})

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

    async def patch_status(self, namespace: str, ref: ObjectRef, patch: Manifest) -> Manifest:
        """Merge a patch into an object's status.

        Raises:
            ApiError: with status 409 where the patch names another resourceVersion.
        """
        path = f"{object_path(ref.kind, namespace, ref.name)}/status"
        query = {"fieldManager": FIELD_MANAGER}
        return await self._request("PATCH", path, patch, query, "application/merge-patch+json")

    async def delete(self, namespace: str, ref: ObjectRef, version: str | None = None) -> None:
        """Delete an object; one that is gone already is fine.

        Raises:
            ApiError: with status 409 where it is no longer of the version.
        """
        path = object_path(ref.kind, namespace, ref.name)
        body: Manifest = {"propagationPolicy": "Background"}
        if version is not None:
            body["preconditions"] = {"resourceVersion": version}
        try:
            await self._request("DELETE", path, body)
        except ApiError as error:
            if error.status != 404:
                raise

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
    ) -> Manifest:
        parameters = await self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list((query or {}).items()),
            header_params={"Content-Type": content_type, "Accept": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._client.call_api(*parameters, _request_timeout=_TIMEOUT_SECONDS)
            data = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiUnavailable(f"{method} {path}: {error or type(error).__name__}") from error
        answer = _parse(data)
        if response.status >= 400:
            raise ApiError(response.status, answer.get("reason", ""), answer.get("message", ""))
        return answer


def _parse(data: bytes | None) -> dict[str, Any]:
    """The answer as JSON; what is none (a proxy's error page) becomes its message."""
    try:
        answer = json.loads(data or b"{}")
    except ValueError:
        return {"message": (data or b"").decode(errors="replace")[:500]}
    return answer if isinstance(answer, dict) else {"message": str(answer)}


async def connect() -> Api:
    """A connection with the pod's service account, or with the user's kubeconfig outside."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        await config.load_kube_config(client_configuration=configuration)
    return Api(client.ApiClient(configuration))
