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
    "Lease": ("/apis/coordination.k8s.io/v1", "leases"),
}


def collection_path(kind: str, namespace: str | None) -> str:
    """Path of all objects of a kind in a namespace; without one, in all namespaces."""
    base, plural = _BASES[kind]
    return f"{base}/namespaces/{namespace}/{plural}" if namespace else f"{base}/{plural}"


def object_path(kind: str, namespace: str, name: str) -> str:
    """Path of one object."""
    return f"{collection_path(kind, namespace)}/{name}"
