"""Paths of the API, by kind."""

from __future__ import annotations

from trainyard_api.names import API_VERSION, KIND, PLURAL

_BASES = {
    KIND: (f"/apis/{API_VERSION}", PLURAL),
    "Pod": ("/api/v1", "pods"),
    "Service": ("/api/v1", "services"),
    "Event": ("/api/v1", "events"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
}


def collection_path(kind: str, namespace: str) -> str:
    """Path of all objects of a kind in a namespace."""
    base, plural = _BASES[kind]
    return f"{base}/namespaces/{namespace}/{plural}"


def object_path(kind: str, namespace: str, name: str) -> str:
    """Path of one object."""
    return f"{collection_path(kind, namespace)}/{name}"
