"""The jobs of a run: what their pods do, what their users do, and what has to come of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.controlplane.api import Object
from tests.chaos.user import User
from tests.integration.fake_node import (
    Outcome,
    PodId,
    compress_message,
    train_message,
)
from trainyard_api.exit_codes import ExitCode
from trainyard_api.names import API_VERSION, KIND

Outcomes = Callable[[PodId], Outcome | None]
Acts = Callable[[User], Awaitable[None]]
_SERVED: dict[str, Any] = {"compression": {}, "serving": {}}
_GOOD = {"train": train_message(), "compress": compress_message()}


@dataclass(frozen=True)
class End:
    """What a job has to have come to; None: any."""

    phase: str | None = "Succeeded"
    """None: the job is gone."""
    reason: str = ""
    """Of the condition Failed."""
    attempts: int | None = 1
    """Of Train."""
    program: int | None = 0
    infrastructure: int | None = 0
    restarts: int | None = None
    """Of both kinds."""
    runs: int = 1
    replicas: int = 0
    """That serve."""

    def differs(self, job: Object | None) -> str:
        """How a job differs from it; empty where it does not."""
        if job is None or self.phase is None:
            gone = job is None and self.phase is None
            return "" if gone else f"is {'gone' if job is None else 'there'}"
        status = job.get("status") or {}
        stages = {stage["name"]: stage for stage in status.get("stages") or []}
        restarts = status.get("restarts") or {}
        program, infrastructure = restarts.get("program", 0), restarts.get("infrastructure", 0)
        failed = [c["reason"] for c in status.get("conditions") or [] if c["type"] == "Failed"]
        pairs = (
            ("phase", self.phase, status.get("phase")),
            ("reason", self.reason, "".join(failed)),
            ("attempts", self.attempts, stages.get("Train", {}).get("attempts", 0)),
            ("restarts.program", self.program, program),
            ("restarts.infrastructure", self.infrastructure, infrastructure),
            ("restarts", self.restarts, program + infrastructure),
            ("runs", self.runs, int((status.get("run") or {}).get("id", "0-").split("-")[0])),
            ("replicas", self.replicas, (status.get("serving") or {}).get("readyReplicas", 0)),
        )
        return ", ".join(
            f"{name} is {found}, not {wanted}"
            for name, wanted, found in pairs
            if wanted is not None and wanted != found
        )


async def _nothing(_user: User) -> None:
    """The user only looks on."""


@dataclass(frozen=True)
class Script:
    """A job's story."""

    outcome: Outcomes
    end: End = End()
    acts: Acts = _nothing
    spec: Object = field(default_factory=dict)

    def manifest(self, name: str, workers: int) -> Object:
        """The job."""
        base: Object = {
            "data": {"source": {"uri": "sklearn://digits"}},
            "model": {"architecture": "dense"},
            "workers": {"replicas": workers},
        }
        head: Object = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}}
        return {**head, "spec": {**base, **self.spec}}


def good(after: float = 0.5) -> Outcomes:
    """All goes well."""
    return lambda pod: Outcome(message=_GOOD.get(pod.stage, ""), after=after)


def at_first(times: int, code: int, message: str = "", *, index: int = 0) -> Outcomes:
    """The first attempts to train fail in one worker, while its peers run on."""

    def outcome(pod: PodId) -> Outcome | None:
        if pod.stage != "train" or pod.attempt > times:
            return good()(pod)
        return Outcome(code, message, after=0.6) if pod.index == index else None

    return outcome


def runs_on(attempts: int = 1) -> Outcomes:
    """The first attempts to train run until somebody ends them."""
    return lambda pod: None if pod.stage == "train" and pod.attempt <= attempts else good()(pod)


def _peers_lost(pod: PodId) -> Outcome | None:
    """The chief fails, and its peers before it because of that."""
    if pod.stage != "train" or pod.attempt > 1:
        return good()(pod)
    code = ExitCode.FAILED if pod.index == 0 else ExitCode.PEER_LOST
    return Outcome(code, "boom", after=0.7 if pod.index == 0 else 0.4)


async def _suspend_and_resume(user: User) -> None:
    await user.trains()
    await user.edit(runPolicy={"suspend": True})
    await user.phase("Suspended")
    await user.no_pods()
    await user.edit(runPolicy={"suspend": False})


async def _remove_worker(user: User) -> None:
    await user.trains()
    await user.remove_pod(1)


async def _evict_chief(user: User) -> None:
    await user.trains()
    await user.remove_pod(0, reason="EvictionByEvictionAPI")


async def _delete_in_the_middle(user: User) -> None:
    await user.trains()
    await user.delete()


async def _delete_at_once(user: User) -> None:
    await user.delete()


async def _create_again(user: User) -> None:
    await user.begins()
    await user.delete()
    await user.submit(_RECREATED.manifest(user.name, 2))


async def _scale(user: User) -> None:
    await user.phase("Succeeded")
    await user.edit(serving={"replicas": 3})


async def _retrain(user: User) -> None:
    await user.phase("Succeeded")
    await user.retrain("again")
    await user.phase("Succeeded", runs=2)
    await user.retrain("and again")


async def _retrain_in_the_middle(user: User) -> None:
    await user.begins()
    await user.retrain("now")


async def _raise_the_bar(user: User) -> None:
    await user.phase("Succeeded")
    await user.edit(evaluation={"gates": [{"metric": "accuracy", "minimum": 0.99}]})


async def _try_again(user: User) -> None:
    await user.phase("Failed")
    await user.edit(runPolicy={"backoffLimit": 2})


async def _add_serving(user: User) -> None:
    await user.phase("Succeeded")
    await user.edit(serving={})


async def _stop_serving(user: User) -> None:
    await user.phase("Succeeded")
    await user.edit(serving=None)


async def _move_port(user: User) -> None:
    await user.phase("Succeeded")
    await user.edit(serving={"port": 9000})


async def _lose_a_replica(user: User) -> None:
    await user.phase("Succeeded")
    await user.remove_pod(0, stage="serve")


_RECREATED = Script(good(2.0))
_TWO = {"compression": {}, "serving": {"replicas": 2}}
_GATE = {"evaluation": {"gates": [{"metric": "accuracy", "minimum": 0.95}]}}
_SERVES = End(replicas=1)
_INVALID = End("Failed", "InvalidSpec")

SCRIPTS: dict[str, Script] = {
    "good": Script(good()),
    "served": Script(good(), _SERVES, spec=_SERVED),
    "retried": Script(at_first(2, ExitCode.FAILED, "boom"), End(attempts=3, program=2)),
    "killed": Script(at_first(1, 137, index=1), End(attempts=2, program=1)),
    "saved": Script(at_first(2, ExitCode.SAVED), End(attempts=3, infrastructure=2)),
    "storeless": Script(at_first(1, ExitCode.STORE_UNAVAILABLE), End(attempts=2, infrastructure=1)),
    "peers": Script(_peers_lost, End(attempts=2, program=None, infrastructure=None, restarts=1)),
    "hopeless": Script(
        at_first(9, ExitCode.FAILED, "boom"),
        End("Failed", "BackoffLimitExceeded", attempts=2, program=1),
        spec={"runPolicy": {"backoffLimit": 1}},
    ),
    "mended": Script(
        at_first(1, ExitCode.FAILED, "boom"),
        End(attempts=2),
        _try_again,
        {"runPolicy": {"backoffLimit": 0}},
    ),
    "refused": Script(at_first(9, ExitCode.INVALID, "no"), _INVALID),
    "babbling": Script(at_first(9, ExitCode.OK, "hello"), End("Failed", "InvalidResult")),
    "gated": Script(good(), End("Failed", "GateFailed"), spec={**_SERVED, **_GATE}),
    "removed": Script(runs_on(), End(attempts=2, infrastructure=1), _remove_worker),
    "evicted": Script(
        runs_on(), End(attempts=2, infrastructure=1, replicas=1), _evict_chief, _SERVED
    ),
    "suspended": Script(runs_on(), End(attempts=2), _suspend_and_resume),
    "deleted": Script(runs_on(9), End(None), _delete_in_the_middle, _SERVED),
    "regretted": Script(good(), End(None), _delete_at_once, _SERVED),
    "recreated": Script(good(2.0), acts=_create_again),
    "fleeting": Script(good(), End(None), spec={"runPolicy": {"ttlSecondsAfterFinished": 1}}),
    "late": Script(
        runs_on(9),
        End("Failed", "DeadlineExceeded", attempts=None),
        spec={"runPolicy": {"activeDeadlineSeconds": 4}},
    ),
    "scaled": Script(good(), End(replicas=3), _scale, _SERVED),
    "retrained": Script(good(), End(runs=3, replicas=1), _retrain, _SERVED),
    "restarted": Script(good(1.5), End(runs=2), _retrain_in_the_middle),
    "barred": Script(
        good(), End("Failed", "GateFailed", runs=2, replicas=1), _raise_the_bar, _SERVED
    ),
    "extended": Script(good(), _SERVES, _add_serving),
    "withdrawn": Script(good(), End(), _stop_serving, _SERVED),
    "moved": Script(good(), _SERVES, _move_port, _SERVED),
    "thinned": Script(good(), End(replicas=2), _lose_a_replica, _TWO),
    "tidy": Script(good(), spec={"runPolicy": {"cleanPodPolicy": "All"}}),
}


@dataclass(frozen=True)
class Role:
    """A script that is played, by a job of its name."""

    name: str
    script: Script
    workers: int


def cast(number: int, dice: random.Random) -> list[Role]:
    """So many jobs: every script in turn, in any order."""
    kinds = [list(SCRIPTS)[index % len(SCRIPTS)] for index in range(number)]
    dice.shuffle(kinds)
    return [
        Role(f"{kind}-{index}", SCRIPTS[kind], 2 if kind in _OF_TWO else dice.randint(1, 3))
        for index, kind in enumerate(kinds)
    ]


_OF_TWO = ("removed", "killed", "peers", "recreated")
"""Scripts that speak of a second worker."""
