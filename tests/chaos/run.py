"""One run: jobs are played while everything fails, and then everything is looked at."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.controlplane.api import Access
from tests.chaos.client import Client
from tests.chaos.endpoints import Endpoints
from tests.chaos.history import History
from tests.chaos.machines import ControlPlane, Crew
from tests.chaos.node import Node
from tests.chaos.observer import JOB, Observer
from tests.chaos.plan import (
    KILL_OPERATOR,
    KILL_SERVER,
    KILL_STORE,
    STOP_OPERATOR,
    TROUBLES,
    Trouble,
    make_plan,
)
from tests.chaos.proxy import Proxy
from tests.chaos.scripts import SCRIPTS, Role, cast
from tests.chaos.user import User
from tests.chaos.weather import CALM, WEATHERS
from tests.cluster import Cluster, Operator
from tests.integration.fake_node import Outcome, PodId

_SAY_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_SETTLE_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How long it goes, and how much."""

    seed: int
    jobs: int
    seconds: float
    """Of trouble."""
    operators: int = 2
    only: Sequence[str] = TROUBLES
    """What goes wrong."""
    namespace: str = "chaos"
    end_seconds: float = 90.0
    """After the trouble, until all jobs have come to their end, and until nothing is left."""


async def play(cluster: Cluster, access: Access, folder: Path, options: Options) -> History:
    """Play a run; the history has the violations.

    Args:
        cluster: of this run alone.
        access: to its API server.
        folder: takes logs and kubeconfigs.
        options: of the run.
    """
    history, dice = History(), random.Random(options.seed)
    roles = cast(options.jobs, dice)
    plan = make_plan(dice, options.seconds, options.operators, options.only)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(access))
        await _prepare(client, options.namespace)
        proxies = [
            await stack.enter_async_context(
                Proxy(access, random.Random(dice.random()), folder / f"kubeconfig-{index}")
            )
            for index in range(options.operators)
        ]
        operators = [_operator(cluster, folder, options, i) for i in range(options.operators)]
        crew = Crew(operators, history)
        stack.callback(crew.end)
        run = _Run(client, options, history, proxies, crew, ControlPlane(cluster, history))
        await run.play(roles, plan)
    return history


def _operator(cluster: Cluster, folder: Path, options: Options, index: int) -> Operator:
    settings = {
        "KUBECONFIG": str(folder / f"kubeconfig-{index}"),
        "TRAINYARD_WATCH_NAMESPACE": options.namespace,
    }
    if options.operators > 1:
        settings["TRAINYARD_LEASE_NAMESPACE"] = options.namespace
        settings["TRAINYARD_LEASE_NAME"] = "chaos"
    return Operator(cluster, folder / f"operator-{index}.log", settings)


async def _prepare(client: Client, namespace: str) -> None:
    """A namespace in which pods can be made: each needs its default service account."""
    await client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    while await client.get(account) is None:
        await asyncio.sleep(0.1)


class _Run:
    """All that plays together."""

    def __init__(
        self,
        client: Client,
        options: Options,
        history: History,
        proxies: Sequence[Proxy],
        crew: Crew,
        control_plane: ControlPlane,
    ) -> None:
        self._client = client
        self._options = options
        self._history = history
        self._proxies = proxies
        self._crew = crew
        self._control_plane = control_plane
        self._observer = Observer(client, options.namespace, history)
        self._began = history.now()

    async def play(self, roles: Sequence[Role], plan: Sequence[Trouble]) -> None:
        """From the first job to the last trace of them."""
        namespace, observer = self._options.namespace, self._observer
        node = Node(self._client, namespace, _outcome, self._options.seed)
        endpoints = Endpoints(self._client, namespace, observer, self._history)
        self._crew.start()
        async with asyncio.TaskGroup() as tasks:
            meanwhile: list[Coroutine[Any, Any, None]] = [
                observer.watch(),
                endpoints.watch(),
                node.play(),
                self._crew.watch(),
                self._say(roles),
            ]
            running = [tasks.create_task(work) for work in meanwhile]
            self._began = self._history.now()
            acting = [tasks.create_task(self._act(role, at)) for role, at in self._starts(roles)]
            await asyncio.gather(*(self._befall(trouble) for trouble in plan))
            self._history.note_all("calm")
            await self._see_ends(roles, acting)
            await self._see_nothing_left(roles)
            self._crew.check()
            for task in (*running, *acting):
                task.cancel()

    def _starts(self, roles: Sequence[Role]) -> list[tuple[Role, float]]:
        """When each job is submitted: evenly, so that the last sees some trouble too."""
        pause = 0.8 * self._options.seconds / len(roles)
        return [(role, number * pause) for number, role in enumerate(roles)]

    async def _act(self, role: Role, at: float) -> None:
        await self._until(at)
        user = self._user(role)
        await user.submit(role.script.manifest(role.name, role.workers))
        await role.script.acts(user)

    async def _befall(self, trouble: Trouble) -> None:
        await self._until(trouble.at)
        seconds, whom = trouble.seconds, trouble.whom
        self._history.note_all(f"{trouble.what} {list(whom)} for {seconds:.1f} s")
        if trouble.what == KILL_OPERATOR:
            await self._crew.kill(whom[0], seconds)
        elif trouble.what == STOP_OPERATOR:
            await self._crew.stop_for(whom[0], seconds)
        elif trouble.what in (KILL_SERVER, KILL_STORE):
            await self._control_plane.kill(trouble.what.removeprefix("kill "), seconds)
        else:
            for index in whom:
                self._proxies[index].set(WEATHERS[trouble.what])
            await asyncio.sleep(seconds)
            for index in whom:
                self._proxies[index].set(CALM)

    async def _see_ends(self, roles: Sequence[Role], acting: Sequence[asyncio.Task[None]]) -> None:
        """All jobs come to the end that their script has, and stay there."""
        deadline = self._history.now() + self._options.end_seconds
        while self._history.now() < deadline:
            if all(task.done() for task in acting) and not any(map(self._differs, roles)):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(_SETTLE_SECONDS)
        self._history.note_all("all jobs should have come to their end")
        for role, task in zip(roles, acting, strict=True):
            if text := self._differs(role):
                self._history.violation(role.name, f"is not at its end: {text}")
            elif not task.done():
                self._history.violation(role.name, "its user still waits")

    async def _see_nothing_left(self, roles: Sequence[Role]) -> None:
        """Jobs that are deleted leave nothing behind."""
        await asyncio.gather(*(self._user(role).delete() for role in roles))
        deadline = self._history.now() + self._options.end_seconds
        while left := await self._observer.left_over():
            if self._history.now() > deadline:
                self._history.violation("", f"is left behind: {', '.join(left)}")
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _differs(self, role: Role) -> str:
        """How a job and what there is of it differ from its end; empty where they do not."""
        end = role.script.end
        if text := end.differs(self._observer.job(role.name)):
            return text
        if pods := [p["metadata"]["name"] for p in self._observer.computing(role.name)]:
            return f"{', '.join(pods)} still compute"
        revisions = [d["metadata"]["name"] for d in self._observer.of("Deployment", role.name)]
        if len(revisions) != min(end.replicas, 1):
            return f"its revisions are {', '.join(revisions) or 'gone'}"
        return ""

    def _user(self, role: Role) -> User:
        namespace = self._options.namespace
        return User(self._client, namespace, role.name, self._observer, self._history)

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self._began + at - self._history.now()))

    async def _say(self, roles: Sequence[Role]) -> None:
        while True:
            await asyncio.sleep(_SAY_SECONDS)
            there = len(self._observer.objects[JOB])
            ended = sum(not self._differs(role) for role in roles)
            log.info(
                "%5.0f s: %d jobs are there, %d of %d are at their end, %d violations",
                self._history.now(),
                there,
                ended,
                len(roles),
                len(self._history.violations),
            )


def _outcome(pod: PodId) -> Outcome | None:
    """What becomes of a pod, by its job's script, which is in its name."""
    kind = pod.job.rpartition("-")[0]
    return SCRIPTS[kind].outcome(pod)
