"""The cluster's hands with an API server in memory: what it is asked, and what it then knows."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.unit.operator.fake_cluster import SETTINGS, make_job
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Manifest, Plan
from trainyard_operator.hands.cluster.actor import Actor
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.chiefs import Chiefs
from trainyard_operator.hands.cluster.children import Children
from trainyard_operator.hands.cluster.complaints import Complaints
from trainyard_operator.hands.cluster.events import Events
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.notes import Notes
from trainyard_operator.hands.cluster.reader import Reader

KEY = Key("default", "fashion")
JOB_PATH = "/apis/trainyard.dev/v1alpha1/namespaces/default/trainingjobs/fashion"
NOW = 1e9


def job_manifest(**spec: Any) -> Manifest:
    """A job as the API server has it before anybody has written a status."""
    manifest = make_job(**spec).to_dict()
    manifest["metadata"] |= {"resourceVersion": "7", "generation": 1}
    del manifest["status"]
    return manifest


class FakeApi(Api):
    """An API server that has one job, and does not take what a test forbids."""

    def __init__(self, **spec: Any) -> None:
        self.job: Manifest | None = job_manifest(**spec)
        self.objects: dict[str, Manifest] = {}
        self.errors: dict[str, ApiError] = {}
        self.deletion_error: ApiError | None = None
        self.requests: list[tuple[str, str, Any]] = []
        self._versions = itertools.count(8)

    async def _request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        query: Any = None,  # noqa: ARG002
        content_type: str = "",  # noqa: ARG002
        accept: str | None = None,  # noqa: ARG002
    ) -> Manifest:
        self.requests.append((method, path, body))
        if path.startswith(JOB_PATH):
            return self._of_job(method, body)
        kind = str((body or {}).get("kind"))
        if method != "GET" and (error := self.errors.get(kind)) is not None:
            raise error
        if method == "POST":
            assert body is not None
            return self._created(path, body)
        if method == "DELETE":
            if self.deletion_error is not None:
                raise self.deletion_error
            self.objects.pop(path, None)
            return {"kind": "Status", "status": "Success"}
        if path not in self.objects:
            raise ApiError(404, "NotFound", path)
        return self.objects[path]

    def change_job(self, **metadata: Any) -> Manifest:
        """Somebody changes the job."""
        assert self.job is not None
        metadata = {"resourceVersion": str(next(self._versions)), **metadata}
        self.job = {**self.job, "metadata": {**self.job["metadata"], **metadata}}
        return self.job

    def sent(self, method: str) -> list[tuple[str, Any]]:
        """Paths and bodies of the requests by a method."""
        return [(path, body) for verb, path, body in self.requests if verb == method]

    def _of_job(self, method: str, body: Manifest | None) -> Manifest:
        if self.job is None:
            raise ApiError(404, "NotFound", "fashion")
        if method == "PUT":
            assert body is not None
            if body["metadata"]["resourceVersion"] != self.job["metadata"]["resourceVersion"]:
                raise ApiError(409, "Conflict", "fashion has changed")
            self.job = {**self.job, "status": body["status"]}
            return self.change_job()
        return self.job

    def _created(self, path: str, body: Manifest) -> Manifest:
        name = body["metadata"]["name"]
        place = f"{path}/{name}"
        if place in self.objects:
            raise ApiError(409, "AlreadyExists", name)
        version = str(next(self._versions))
        metadata = {**body["metadata"], "uid": f"uid-{name}", "resourceVersion": version}
        self.objects[place] = {**body, "metadata": metadata}
        return self.objects[place]


@dataclass
class Hands:
    """The hands without their watches."""

    api: FakeApi
    jobs: Jobs = field(default_factory=Jobs)
    notes: Notes = field(default_factory=Notes)
    woken: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.children = Children(self.api, self.woken.append, None)
        session: Any = None
        self.chiefs = Chiefs(session, self.woken.append, 5.0)
        self.complaints = Complaints(self.api, self.woken.append)
        self.reader = Reader(self.jobs, self.children, self.notes, self.chiefs, self.complaints)
        self.events = Events(self.api)
        self.actor = Actor(self.api, self.jobs, self.children, self.notes, self.events)
        if self.api.job is not None:
            self.jobs.happened(self.api.job)

    def look(self) -> Observed:
        """What is known of the job."""
        observed = self.reader.look(KEY)
        assert observed is not None
        return observed

    async def step(self) -> Plan:
        """One decision, carried out."""
        observed = self.look()
        plan = decide(observed, SETTINGS, NOW)
        await self.actor.carry_out(KEY, observed, plan)
        await self.record_events()
        return plan

    async def record_events(self) -> None:
        """Record what waits to be recorded."""
        recording = asyncio.create_task(self.events.record())
        await asyncio.sleep(0)
        recording.cancel()
        await asyncio.wait([recording])
