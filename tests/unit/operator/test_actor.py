"""Plans as requests: what the API server is asked, and what follows from its answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.unit.operator.fake_cluster import SETTINGS, make_job
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Event, Manifest, ObjectRef, Plan
from trainyard_operator.build.networking import build_serving_service
from trainyard_operator.hands.cluster.actor import Actor, NotYet
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.observer import Observer

KEY = Key("default", "fashion")
JOB_PATH = "/apis/trainyard.dev/v1alpha1/namespaces/default/trainingjobs/fashion"


class FakeApi(Api):
    """An API server that has one job, and does not take what a test forbids."""

    def __init__(self) -> None:
        self.job: Manifest = make_job().to_dict()
        self.job["metadata"]["resourceVersion"] = "7"
        self.job["metadata"]["generation"] = 1
        del self.job["status"]
        self.objects: dict[str, Manifest] = {}
        self.errors: dict[str, ApiError] = {}
        self.requests: list[tuple[str, str, Any]] = []

    async def _request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        query: Any = None,  # noqa: ARG002
        content_type: str = "",  # noqa: ARG002
    ) -> Manifest:
        self.requests.append((method, path, body))
        kind = str((body or {}).get("kind"))
        if method != "GET" and (error := self.errors.get(kind)) is not None:
            raise error
        if method == "PATCH" and path == f"{JOB_PATH}/status":
            assert body is not None
            version = str(int(self.job["metadata"]["resourceVersion"]) + 1)
            metadata = {**self.job["metadata"], "resourceVersion": version}
            self.job = {**self.job, "metadata": metadata, "status": body["status"]}
            return self.job
        if path == JOB_PATH:
            return self.job
        return self.objects.get(path, {"items": []})

    def sent(self, method: str) -> list[tuple[str, Any]]:
        return [(path, body) for verb, path, body in self.requests if verb == method]


async def observe(observer: Observer) -> Observed:
    observed = await observer.observe(KEY)
    assert observed is not None
    return observed


async def test_the_status_of_a_job_that_others_manage_is_not_written() -> None:
    api = FakeApi()
    api.job["spec"]["runPolicy"]["managedBy"] = "kueue.x-k8s.io/multikueue"
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session)
        observed = await observe(observer)
        plan = decide(observed, SETTINGS, 1e9)
        await Actor(api, observer).carry_out(KEY, observed.job, plan)
    assert api.sent("PATCH") == []


@pytest.mark.parametrize(("status", "invalid"), [(422, True), (400, True), (403, False)])
async def test_what_the_api_server_refuses_is_known_to_the_next_decision(
    status: int, invalid: bool
) -> None:
    api = FakeApi()
    api.errors["Pod"] = ApiError(status, "Invalid", "limits.memory: 4GB")
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session)
        actor = Actor(api, observer)
        observed = await observe(observer)
        plan = decide(observed, SETTINGS, 1e9)
        told = replace(plan, events=(Event("Normal", "RunStarted", "run 2"),))
        with pytest.raises(NotYet):
            await actor.carry_out(KEY, observed.job, told)
        assert [body["reason"] for _, body in api.sent("POST") if body["kind"] == "Event"] == [
            "RunStarted"
        ], "what status says is told, whatever became of the rest"
        refusal = (await observe(observer)).refusal("Pod")
        assert refusal is not None
        assert refusal.invalid is invalid
        assert "limits.memory: 4GB" in refusal.message
        api.job["metadata"]["generation"] = 2
        observer.forget(KEY)
        assert (await observe(observer)).refusal("Pod") is None, "a changed spec is tried again"


async def test_a_job_is_deleted_only_as_it_was_decided_upon() -> None:
    api = FakeApi()
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session)
        job = (await observe(observer)).job
        done = job.status.model_copy(update={"phase": "Succeeded"})
        plan = Plan(status=done, delete=(ObjectRef("TrainingJob", "fashion"),))
        await Actor(api, observer).carry_out(KEY, job, plan)
    [(path, body)] = api.sent("DELETE")
    assert path == JOB_PATH
    assert body["preconditions"] == {"resourceVersion": "8"}


async def test_what_was_created_is_taken_for_applied_before_it_is_replaced() -> None:
    """Else a port that has changed stays beside the new one, and the Service is invalid."""
    api = FakeApi()
    path = "/api/v1/namespaces/default/services/fashion"
    controller = {"manager": "trainyard", "operation": "Update", "subresource": "status"}
    fields: Manifest = {"f:spec": {}}
    created = {"manager": "trainyard", "operation": "Update", "fieldsV1": fields}
    metadata = {"resourceVersion": "3", "managedFields": [controller, created]}
    api.objects[path] = {"metadata": metadata}
    manifest = build_serving_service(make_job(), "fashion", "1-5f3a9c", 9090, {})
    await api.apply(manifest)
    (_, own), (_, applied) = api.sent("PATCH")
    applied_before = {"manager": "trainyard", "operation": "Apply", "fieldsV1": fields}
    assert own["metadata"] == {
        "resourceVersion": "3",
        "managedFields": [controller, applied_before],
    }
    assert applied == manifest


async def test_without_an_event_a_job_is_read_again_after_a_while() -> None:
    api = FakeApi()
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session, keep_seconds=0.0)
        await observe(observer)
        requests = len(api.requests)
        await observe(observer)
    assert len(api.requests) == 2 * requests
