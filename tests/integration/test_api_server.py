"""Requests, watches and leases as a real API server takes them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from tests.cluster import Cluster
from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.hands.cluster import resources
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.connection import connect
from trainyard_operator.hands.cluster.informer import Informer
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.lease import Election, LeadershipLost
from trainyard_operator.hands.cluster.store import Store

_numbers = itertools.count(1)


class CutApi(Api):
    """A way to the API server that can be cut without anybody being told."""

    cut = False

    async def _request(self, *arguments: object, **named: object) -> Manifest:
        if self.cut:
            await asyncio.sleep(1e6)
        return await super()._request(*arguments, **named)  # type: ignore[arg-type]


@pytest.fixture
async def api(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    # The smallest of objects, which the operator itself has no use for.
    monkeypatch.setitem(resources._BASES, "ConfigMap", ("/api/v1", "configmaps"))
    api = Api(await connect())
    yield api
    await api.close()


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    name = f"api-{next(_numbers)}"
    cluster.kubectl("create", "namespace", name)
    return name


def config_map(namespace: str, name: str, job: str = "fashion", **data: str) -> Manifest:
    labels = {"trainyard.dev/job": job}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(namespace: str, name: str, job: str = "fashion") -> Manifest:
    metadata = {"namespace": namespace, "name": name, "labels": {"trainyard.dev/job": job}}
    spec = {"containers": [{"name": "c", "image": "x"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def view(manifest: Manifest) -> tuple[str, str, bool]:
    metadata = manifest["metadata"]
    value = (manifest.get("data") or {}).get("value", "")
    return metadata["name"], value, "deletionTimestamp" in metadata


async def until(look: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)


async def test_a_store_follows_the_server(api: Api, namespace: str) -> None:
    key = Key(namespace, "fashion")
    await api.create(config_map(namespace, "before"))
    store: Store[tuple[str, str, bool]] = Store(view)
    changed: list[Key] = []
    informer = Informer(api, "ConfigMap", store, changed.append, namespace=namespace)
    task = asyncio.create_task(informer.run())
    await asyncio.wait_for(informer.synced.wait(), 10)
    assert store.of(key) == [("before", "", False)]

    own = config_map(namespace, "own", value="1")
    store.written({**own, "metadata": (await api.create(own))["metadata"]})
    assert ("own", "1", False) in store.of(key), "at once"
    held = config_map(namespace, "held")
    held["metadata"]["finalizers"] = ["trainyard.dev/test"]
    held = {**held, "metadata": (await api.create(held))["metadata"]}
    store.written(held)
    ref, uid = ObjectRef("ConfigMap", "held"), held["metadata"]["uid"]
    with pytest.raises(ApiError) as caught:
        await api.delete(namespace, ref, uid="another")
    assert caught.value.status == 409
    answer = await api.delete(namespace, ref, uid=uid)
    store.deleted(namespace, "held", uid, answer)
    assert ("held", "", True) in store.of(key), "something holds it"
    assert answer is not None
    free = {**answer, "metadata": {**answer["metadata"], "finalizers": []}}
    await api.update(free)
    await until(lambda: ("held", "", True) not in store.of(key))

    there = await api.get("ConfigMap", namespace, "own")
    assert there is not None
    own_uid = there["metadata"]["uid"]
    answer = await api.delete(namespace, ObjectRef("ConfigMap", "own"), uid=own_uid)
    store.deleted(namespace, "own", own_uid, answer)
    assert store.of(key) == [("before", "", False)], "at once"
    assert await api.delete(namespace, ObjectRef("ConfigMap", "own")) is None
    await api.create(config_map(namespace, "others", job="other"))
    await until(lambda: Key(namespace, "other") in changed)
    task.cancel()


async def test_two_deletions_at_once_make_no_ghost(api: Api, namespace: str) -> None:
    """The loser may be answered with the pod, although it is gone and the watch has told so."""
    store: Store[tuple[str, str, bool]] = Store(view)
    informer = Informer(api, "Pod", store, lambda _: None, namespace=namespace)
    watching = asyncio.create_task(informer.run())
    losers = 0
    try:
        await asyncio.wait_for(informer.synced.wait(), 10)
        ref = ObjectRef("Pod", "p")
        for _ in range(40):
            uid = (await api.create(pod(namespace, ref.name)))["metadata"]["uid"]
            await until(lambda uid=uid: store.uid(namespace, ref.name) == uid)  # type: ignore[misc]
            answers = await asyncio.gather(*(api.delete(namespace, ref) for _ in range(3)))
            await until(lambda: len(store) == 0)
            for answer in answers:
                losers += answer is not None and "resourceVersion" not in answer["metadata"]
                store.deleted(namespace, ref.name, uid, answer)
            assert len(store) == 0
    finally:
        watching.cancel()
    assert losers > 0, "the API server has not answered so"


async def test_a_long_list_is_read_page_by_page(api: Api, namespace: str) -> None:
    maps = [config_map(namespace, f"m-{n}", "a" if n % 2 else "b") for n in range(1100)]
    await asyncio.gather(*(api.create(each) for each in maps))
    selector = "trainyard.dev/job"
    pages = [len(items) async for items, _ in api.pages("ConfigMap", namespace, selector)]
    assert len(pages) > 1
    assert sum(pages) == 1100
    items, version = await api.list("ConfigMap", namespace, "trainyard.dev/job=a")
    assert len(items) == 550
    assert int(version) >= max(int(item["metadata"]["resourceVersion"]) for item in items)


async def test_an_object_of_a_megabyte_comes_through_a_watch(api: Api, namespace: str) -> None:
    _, version = await api.list("ConfigMap", namespace)
    await api.create(config_map(namespace, "big", value="x" * 1_000_000))
    async for event in api.watch("ConfigMap", namespace, "trainyard.dev/job", version):
        assert len(event.object["data"]["value"]) == 1_000_000
        break


async def test_a_second_election_takes_over_from_one_that_is_cut_off(
    api: Api, namespace: str
) -> None:
    first, clock = CutApi(api._connection), asyncio.get_running_loop().time
    acts = {"a": False, "b": False}

    def candidate(api: Api, name: str) -> asyncio.Task[None]:
        async def work() -> None:
            acts[name] = True
            try:
                await asyncio.sleep(1e6)
            finally:
                acts[name] = False

        return asyncio.create_task(Election(api, namespace, "operator", name).lead(work))

    a = candidate(first, "a")
    await until(lambda: acts["a"])
    b = candidate(api, "b")
    await asyncio.sleep(5)
    assert acts == {"a": True, "b": False}
    first.cut, cut_at = True, clock()
    with pytest.raises(LeadershipLost):
        await a
    assert not acts["b"], "the first has stopped before"
    await until(lambda: acts["b"])
    assert clock() - cut_at < 15
    b.cancel()
    with pytest.raises(asyncio.CancelledError):
        await b
    lease = await api.get("Lease", namespace, "operator")
    assert lease is not None
    assert lease["spec"]["holderIdentity"] == "", "given back in order"
    assert lease["spec"]["leaseTransitions"] == 2
