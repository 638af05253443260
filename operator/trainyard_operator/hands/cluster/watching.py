"""kopf's watches: they say which job to look at, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kopf

from trainyard_api.names import GROUP, LABEL_JOB, PLURAL, VERSION
from trainyard_operator.hands.cluster.connection import login
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.observer import Observer
from trainyard_operator.hands.cluster.workqueue import WorkQueue

# With their groups: of two resources with one name, kopf would watch neither.
WATCHED = (
    ("", "v1", "pods"),
    ("", "v1", "services"),
    ("apps", "v1", "deployments"),
    ("networking.k8s.io", "v1", "networkpolicies"),
)
_SERVER_TIMEOUT_SECONDS = 300
_CLIENT_TIMEOUT_SECONDS = 330
_CONNECT_TIMEOUT_SECONDS = 10


def build_registry(queue: WorkQueue[Key], observer: Observer) -> kopf.OperatorRegistry:
    """The handlers: each puts a job's key into the queue."""
    registry = kopf.OperatorRegistry()

    async def job_changed(namespace: str, name: str, meta: dict[str, Any], **_: Any) -> None:
        key = Key(namespace, name)
        if not observer.knows(key, meta["resourceVersion"]):
            observer.forget(key)
            queue.add(key)

    async def object_changed(namespace: str, labels: dict[str, str], **_: Any) -> None:
        key = Key(namespace, labels[LABEL_JOB])
        observer.forget(key)
        queue.add(key)

    kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)(job_changed)
    for group, version, plural in WATCHED:
        watch: Callable[[Any], Any] = kopf.on.event(
            group, version, plural, labels={LABEL_JOB: kopf.PRESENT}, registry=registry
        )
        watch(object_changed)
    kopf.on.login(registry=registry)(login)
    return registry


def build_settings(watch_namespace: str) -> kopf.OperatorSettings:
    """kopf without what it would write, and with watches that notice a dead connection.

    With one namespace to watch, the operator has no rights in the whole cluster, so it does not
    scan for CRDs and namespaces that come later.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.watching.server_timeout = _SERVER_TIMEOUT_SECONDS
    settings.watching.client_timeout = _CLIENT_TIMEOUT_SECONDS
    settings.watching.connect_timeout = _CONNECT_TIMEOUT_SECONDS
    settings.scanning.disabled = bool(watch_namespace)
    return settings
