"""What has to hold at every moment, whatever befalls the operator.

Pure: it is told what an observer sees, in order, and says what must not be.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.controlplane.api import Object
from tests.chaos.history import History
from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_JOB, LABEL_RUN, LABEL_STAGE
from trainyard_operator.brain.gang.gang import TERMINATION_SECONDS

_TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Pod:
    """A pod that computes, as the observer sees it."""

    uid: str
    name: str
    job: str
    owner: str
    """Uid of the job."""
    run: str
    stage: str
    attempt: int
    grace: float
    phase: str
    deleting: bool

    @property
    def works(self) -> bool:
        """Whether its program may still run."""
        return self.phase not in _TERMINAL


@dataclass
class _Job:
    """What was last seen of a job."""

    name: str
    generation: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)
    """This and the generation are those that the job had when its status was written."""
    phase: str = ""
    run: str = ""
    status: Object = field(default_factory=dict)


class Invariants:
    """Tells the history of whatever must not be."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._jobs: dict[str, _Job] = {}
        self._pods: dict[str, Pod] = {}
        self._deleting_since: dict[str, float] = {}
        self._made: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        """Uids of the objects that had a name, by job's uid, kind and name."""
        self._removed: Counter[tuple[str, str, str]] = Counter()

    def job(self, manifest: Object) -> None:
        """A job is there, or has changed."""
        metadata, status = manifest["metadata"], manifest.get("status") or {}
        name, phase = metadata["name"], status.get("phase", "")
        run = (status.get("run") or {}).get("id", "")
        before = self._jobs.get(metadata["uid"]) or _Job(name)
        annotations = metadata.get("annotations") or {}
        asked = (metadata["generation"], annotations)
        changed = before.phase in _TERMINAL and phase != before.phase
        if changed and asked == (before.generation, before.annotations):
            self._tell(name, f"was {before.phase}, and is {phase} though nobody asked")
        if run == before.run:
            self._check_counters(name, before, status, edited=before.generation != asked[0])
        elif not 0 <= _counter(run) - _counter(before.run) <= 1:
            self._tell(name, f"run {run} follows run {before.run}")
        if phase == "Succeeded" and (missing := _missing_results(manifest["spec"], status)):
            self._tell(name, f"has succeeded without {', '.join(missing)}")
        if status == before.status and before.generation:
            asked = before.generation, before.annotations
        self._jobs[metadata["uid"]] = _Job(name, *asked, phase, run, status)

    def pod(self, manifest: Object) -> None:
        """A pod is there, or has changed."""
        pod = read_pod(manifest)
        if pod is None:
            return
        if pod.deleting:
            self._deleting_since.setdefault(pod.uid, self._history.now())
        if pod.uid not in self._pods:
            self.made("Pod", pod.job, pod.owner, pod.name, pod.uid)
            self._check_alone(pod)
        self._pods[pod.uid] = pod

    def pod_gone(self, uid: str) -> None:
        """A pod is no more."""
        self._pods.pop(uid, None)

    def made(self, kind: str, job: str, owner: str, name: str, uid: str) -> None:
        """An object of a job is there."""
        place = (owner, kind, name)
        if uid in self._made[place]:
            return
        self._made[place].add(uid)
        number, removed = len(self._made[place]), self._removed[place]
        if number > 1 + removed:
            self._tell(job, f"{kind} {name} was created {number} times, and removed {removed}")

    def removed_by_others(self, kind: str, owner: str, name: str) -> None:
        """Somebody other than the operator has removed an object of a job: once more is right."""
        self._removed[owner, kind, name] += 1

    def _check_alone(self, new: Pod) -> None:
        """No pod works for one attempt while pods of another attempt, or run, still do."""
        for other in self._pods.values():
            if new.owner != other.owner or not (new.works and other.works):
                continue
            same_run = new.run == other.run
            if same_run and (new.stage != other.stage or new.attempt == other.attempt):
                continue
            since = self._deleting_since.get(other.uid)
            limit = other.grace + TERMINATION_SECONDS
            if since is None or self._history.now() < since + limit:
                told = "is told to end" if other.deleting else "was never told to end"
                self._tell(new.job, f"{new.name} was created while {other.name} ran, which {told}")

    def _check_counters(self, name: str, before: _Job, status: Object, *, edited: bool) -> None:
        now, then = _counts(status, edited=edited), _counts(before.status, edited=edited)
        for what, number in then.items():
            if now.get(what, number) < number:
                self._tell(name, f"{what} went from {number} to {now[what]}")

    def _tell(self, job: str, text: str) -> None:
        self._history.violation(job, text)


def read_pod(manifest: Object) -> Pod | None:
    """A pod that computes; None of one that serves."""
    metadata, labels = manifest["metadata"], manifest["metadata"].get("labels") or {}
    if labels.get(LABEL_STAGE) not in ("train", "compress"):
        return None
    owners = metadata.get("ownerReferences") or [{}]
    return Pod(
        uid=metadata["uid"],
        name=metadata["name"],
        job=labels[LABEL_JOB],
        owner=owners[0].get("uid", ""),
        run=labels[LABEL_RUN],
        stage=labels[LABEL_STAGE],
        attempt=int(labels[LABEL_ATTEMPT]),
        grace=float(manifest["spec"].get("terminationGracePeriodSeconds", 30)),
        phase=manifest.get("status", {}).get("phase", "Pending"),
        deleting="deletionTimestamp" in metadata,
    )


def index_of(manifest: Object) -> int:
    """Which pod of its gang it is."""
    return int(manifest["metadata"]["labels"].get(LABEL_INDEX, "0"))


def _counter(run: str) -> int:
    return int(run.partition("-")[0] or "0")


def _counts(status: Object, *, edited: bool) -> dict[str, int]:
    """All that is counted of a run; a failed stage that is tried again counts anew."""
    found = {f"restarts.{k}": int(v) for k, v in (status.get("restarts") or {}).items()}
    for stage in status.get("stages") or []:
        found[f"attempts of {stage['name']}"] = int(stage.get("attempts", 0))
        if not edited:
            counted: dict[str, Any] = stage.get("restarts") or {}
            found |= {f"restarts.{k} of {stage['name']}": int(v) for k, v in counted.items()}
    return found


def _missing_results(spec: Object, status: Object) -> list[str]:
    artifacts = status.get("artifacts") or {}
    there = {
        "status.evaluation": (status.get("evaluation") or {}).get("metrics"),
        "status.artifacts.model": artifacts.get("model"),
        "status.artifacts.keras": artifacts.get("keras"),
    }
    stages = [stage["name"] for stage in status.get("stages") or []]
    if "Compress" in stages:
        there["status.artifacts.compressed"] = artifacts.get("compressed")
        there["status.compression"] = (status.get("compression") or {}).get("winner")
    if "Serve" in stages and spec.get("serving") is not None:
        there["status.serving"] = (status.get("serving") or {}).get("url")
    return [name for name, value in there.items() if not value]
