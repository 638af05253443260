"""A cluster with a will of its own: it refuses, pods take their time to end or never do, others
change what they like, and the operator may be stopped in the middle of a plan."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.operator import promises
from tests.unit.operator.fake_cluster import FakeCluster
from trainyard_api.names import LABEL_RUN, LABEL_STAGE, MANAGER
from trainyard_api.spec import TrainingJob
from trainyard_api.status import TrainingJobStatus
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import (
    DeploymentView,
    Observed,
    PodView,
    ServiceView,
)
from trainyard_operator.brain.plan import Manifest, ObjectRef, Plan
from trainyard_operator.brain.runs import is_current
from trainyard_operator.build.metadata import digest_of
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.notes import Notes

KEY = Key("default", "fashion")
ENDING_SECONDS = 30
"""How long a pod that is told to end takes to."""
ROUNDS = 5
"""Decisions after which there is nothing more to do."""


@dataclass
class PlayedCluster(FakeCluster):
    """Carries plans out as the cluster's hands do, one operation after the other."""

    version: int = 1
    asked: dict[str, float] = field(default_factory=dict)
    """When each pod was told to end."""
    hanging: set[str] = field(default_factory=set)
    """Pods that never end, as those of a lost node."""
    selectors: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Where each Service leads."""
    known_foreign: set[str] = field(default_factory=set)
    notes: Notes = field(default_factory=Notes)
    """What the operator remembers of refusals."""
    statuses: list[TrainingJobStatus] = field(default_factory=list)
    """All that were written."""

    def clone(self) -> PlayedCluster:
        """A cluster that goes on from here by itself."""
        twin = copy.copy(self)
        for name in ("pods", "services", "deployments", "policies", "asked", "selectors"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.refuses, twin.notes = dict(self.refuses), copy.deepcopy(self.notes)
        for name in ("foreign", "hanging", "known_foreign"):
            setattr(twin, name, set(getattr(self, name)))
        twin.statuses, twin.events, twin.created = [], [], []
        return twin

    # What the operator sees and does.

    def observe(self) -> Observed:
        """What the operator knows."""
        return Observed(
            job=self.job,
            unknown=self.unknown,
            pods=list(self.pods.values()),
            services=list(self.services.values()),
            deployments=list(self.deployments.values()),
            policies=list(self.policies.values()),
            foreign=frozenset(self.known_foreign),
            refusals=self.notes.refusals(KEY, self.job),
            progress=self.progress,
            retry=self.retry,
        )

    def decide(self, observed: Observed) -> Plan:
        """What the operator does by what it has seen; each decision keeps the promises."""
        plan = decide(observed, self.settings, self.now)
        promises.decided(self, observed, plan)
        return plan

    def carry_out(self, observed: Observed, plan: Plan, operations: int | None = None) -> None:
        """Do what is to be done, or only the first so many operations of it."""
        self.retry = False
        for _ in itertools.islice(self._operations(observed, plan), operations):
            pass

    def rest(self) -> int:
        """Decide until there is nothing more to do; how many decisions that took.

        Raises:
            AssertionError: there is always more to do.
        """
        for number in range(ROUNDS + 1):
            if self.deleted_job:
                return number
            observed, before = self.observe(), self._state()
            plan = self.decide(observed)
            self.carry_out(observed, plan)
            if self._state() == before:
                acts = (*plan.replace, *plan.create)
                held_up = any(self._is_refused(manifest) for manifest in acts)
                assert held_up or not (acts or plan.delete), f"done again and again: {plan}"
                return number
        raise AssertionError(f"after {ROUNDS} decisions there is still something to do: {plan}")

    def _state(self) -> tuple[object, ...]:
        """All that a plan may change."""
        tables = (self.pods, self.services, self.deployments, self.policies, self.asked)
        copies = tuple(dict(table) for table in tables)
        known = frozenset(self.known_foreign), tuple(self.notes.refusals(KEY, self.job))
        return self.job.status, copies, known, self.deleted_job

    def _operations(self, observed: Observed, plan: Plan) -> Iterator[None]:
        if observed.job.metadata.resourceVersion != self.job.metadata.resourceVersion:
            return
        if plan.status != self.job.status:
            self.write(status=plan.status)
            yield
        held = []
        for manifest in plan.replace:
            if not self._take(manifest):
                held.append(manifest)
            yield
        for ref in plan.delete:
            if ref.kind == "Pod" or not held:
                self._remove(ref)
                yield
        pods = [manifest for manifest in plan.create if manifest["kind"] == "Pod"]
        for manifest in plan.create:
            if manifest not in pods:
                held += [] if self._take(manifest) else [manifest]
                yield
        if any(manifest["metadata"]["labels"][LABEL_STAGE] != "serve" for manifest in held):
            return
        for manifest in pods:
            held += [] if self._take(manifest) else [manifest]
            yield
        if not held and (plan.replace or plan.delete or plan.create):
            self.notes.carried_out(KEY)

    def _take(self, manifest: Manifest) -> bool:
        """Create or change an object; whether the API server took it."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind in self.refuses:
            refusal = replace(self.refuses[kind], kind=kind, name=name)
            self.notes.refused(KEY, self.job, refusal)
            return False
        if f"{kind}/{name}" in self.foreign:
            self.known_foreign.add(f"{kind}/{name}")
            return False
        if kind != "Pod" or name not in self.pods:
            self._put(manifest)
        if kind == "Service":
            self.selectors[name] = manifest["spec"]["selector"]
        return True

    def _remove(self, ref: ObjectRef) -> None:
        if ref.kind == "TrainingJob":
            self.deleted_job = True
        elif ref.kind == "Pod":
            self.end_pod(ref.name)
        else:
            self._objects(ref.kind).pop(ref.name, None)
            if ref.kind == "Deployment":
                self.serving_pods_go(ref.name)

    def _put_deployment(self, name: str, manifest: Manifest) -> None:
        """Pods that are ready stay ready until others have taken their place."""
        before, wanted = self.deployments.get(name), manifest["spec"]["replicas"]
        ready = min(before.ready_replicas, wanted) if before is not None else 0
        same = before is not None and before.digest == digest_of(manifest)
        self.deployments[name] = DeploymentView(
            name,
            manifest["metadata"]["labels"][LABEL_RUN],
            digest_of(manifest),
            manifest["spec"]["selector"]["matchLabels"],
            replicas=wanted,
            ready_replicas=ready,
            current=same and ready == wanted,
            autoscaled=before is not None and before.autoscaled,
        )

    # What others do.

    def write(self, **changes: Any) -> None:
        """Change the job, which makes a new version of it."""
        self.version += 1
        metadata = changes.pop("metadata", self.job.metadata)
        metadata = metadata.model_copy(update={"resourceVersion": str(self.version)})
        if "status" in changes:
            written = changes["status"].to_dict()
            changes["status"] = TrainingJobStatus.model_validate(written)
            self.statuses.append(changes["status"])
        self.job = self.job.model_copy(update={"metadata": metadata, **changes})

    def edit(self, **spec: object) -> None:
        """Change the spec, as a new generation."""
        edited = self.job.spec.model_copy(update=spec)
        if edited == self.job.spec:
            return
        generation = self.job.metadata.generation + 1
        metadata = self.job.metadata.model_copy(update={"generation": generation})
        self.write(metadata=metadata, spec=edited)

    def annotate(self, name: str, value: str) -> None:
        """Set an annotation."""
        annotations = {**self.job.metadata.annotations, name: value}
        self.write(metadata=self.job.metadata.model_copy(update={"annotations": annotations}))

    def namesake(self, job: TrainingJob) -> None:
        """The job is gone, and another of its name is there; pods that work still end."""
        for name in list(self.pods):
            self.end_pod(name)
        for table in (self.services, self.deployments, self.policies, self.selectors):
            table.clear()
        self.restart_operator()
        self.deleted_job, self.statuses = False, []
        self.job = job
        self.write()

    def restart_operator(self) -> None:
        """What the operator remembered of the API server's refusals is forgotten."""
        self.notes, self.known_foreign = Notes(), set()

    def names_are_seen(self) -> None:
        """The operator looks at the names that were taken once more."""
        self.known_foreign &= self.foreign

    def pass_time(self, seconds: int) -> None:
        """Time goes by, and pods that were told to end do."""
        self.now += seconds
        for name, asked in list(self.asked.items()):
            if name not in self.hanging and self.now >= asked + ENDING_SECONDS:
                self.vanish(name)

    def end_pod(self, name: str) -> None:
        """Tell a pod to end; one that has ended, or has no node, is gone at once."""
        pod = self.pods.get(name)
        if pod is None:
            return
        self.asked.setdefault(name, self.now)
        self.change(name, deleting=True)
        if name not in self.hanging and (pod.finished or pod.phase == "Pending"):
            self.vanish(name)

    def vanish(self, name: str) -> None:
        """A pod is gone."""
        self.pods.pop(name, None)
        self.asked.pop(name, None)
        self.hanging.discard(name)

    def serving_pods_go(self, deployment: str) -> None:
        """The pods of a Deployment go with it."""
        for name in [name for name in self.pods if name.startswith(f"{deployment}-serving-")]:
            self.vanish(name)

    def all_is_well(self) -> None:
        """The API server takes everything, names are free, and what is ready is ready."""
        self.refuses.clear()
        self.foreign.clear()
        self.known_foreign.clear()
        self.notes.carried_out(KEY)
        self.unknown = ()
        self.ready_all()

    def ready_all(self) -> None:
        for name, view in self.deployments.items():
            self.deployments[name] = replace(
                view, ready_replicas=view.replicas, current=True, trouble=""
            )
        for name in [name for name, pod in self.pods.items() if pod.stage == "serve"]:
            self.vanish(name)

    # What there is.

    @property
    def is_ours(self) -> bool:
        """Whether the job is this operator's affair, and this version knows it."""
        managed = self.job.spec.runPolicy.managedBy == MANAGER
        return managed and not self.deleted_job and (not self.unknown or is_current(self.job))

    def working(self) -> list[PodView]:
        """The pods of stages that have not ended."""
        return [p for p in self.pods.values() if p.stage != "serve" and not p.finished]

    def answering(self) -> list[tuple[ServiceView, DeploymentView]]:
        """The endpoint's Services with the Deployments behind them that have ready pods."""
        return [
            (service, deployment)
            for service in self.services.values()
            if service.stage == "serve" and service.run
            for deployment in self.deployments.values()
            if deployment.ready_replicas > 0 and self.selectors[service.name] == deployment.selector
        ]
