"""The objects of jobs: a store and an informer for each kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from trainyard_operator.brain.observed import DeploymentView, PodView, PolicyView, ServiceView
from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.informer import Informer
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.store import Store
from trainyard_operator.hands.cluster.views import (
    deployment_view,
    pod_view,
    policy_view,
    service_view,
)


class Children:
    """What there is of jobs beside the jobs themselves."""

    def __init__(self, api: Api, changed: Callable[[Key], None], namespace: str | None) -> None:
        """Args:
        api: the API server.
        changed: is called with each job of which an object has changed.
        namespace: of the objects; None: all.
        """
        self.pods: Store[PodView] = Store(pod_view)
        self.services: Store[ServiceView] = Store(service_view)
        self.deployments: Store[DeploymentView] = Store(deployment_view)
        self.policies: Store[PolicyView] = Store(policy_view)
        self._stores: dict[str, Store[Any]] = {
            "Pod": self.pods,
            "Service": self.services,
            "Deployment": self.deployments,
            "NetworkPolicy": self.policies,
        }
        self.informers = {
            kind: Informer(api, kind, store, changed, namespace=namespace)
            for kind, store in self._stores.items()
        }

    async def watch(self) -> None:
        """Keep the stores up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for informer in self.informers.values():
                tasks.create_task(informer.run())

    async def synced(self) -> None:
        """Wait until all that there is has been listed."""
        for informer in self.informers.values():
            await informer.synced.wait()

    def keys(self) -> set[Key]:
        """The jobs that have objects."""
        return set().union(*(store.keys() for store in self._stores.values()))

    def uid(self, namespace: str, ref: ObjectRef) -> str:
        """Of an object; empty where it is not known."""
        store = self._stores.get(ref.kind)
        return store.uid(namespace, ref.name) if store is not None else ""

    def written(self, manifest: Manifest) -> None:
        """An object as the API server has it after our write, or as we have asked for it with the
        metadata that it got."""
        self._stores[manifest["kind"]].written(manifest)

    def deleted(self, namespace: str, ref: ObjectRef, uid: str, answer: Manifest | None) -> None:
        """We have deleted an object; see `Store.deleted`."""
        self._stores[ref.kind].deleted(namespace, ref.name, uid, answer)
