"""A job, and a cluster that obeys plans, for tests of the brain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_RUN, LABEL_STAGE
from trainyard_api.problems import parse_job_object
from trainyard_api.results import CompressResult, TerminationMessage, TrainResult
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Artifact, Candidate, ConditionType, Measured, Progress, Stage
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import (
    DeploymentView,
    Observed,
    PodView,
    PolicyView,
    Refusal,
    ServiceView,
)
from trainyard_operator.brain.plan import Manifest, Plan
from trainyard_operator.build.drift import policy_digest, service_digest
from trainyard_operator.build.metadata import digest_of
from trainyard_operator.settings import Settings

SETTINGS = Settings(backoff_seconds=10.0)
ARTIFACT = Artifact(uri="pvc://trainyard-artifacts/x", sha256="0" * 64)
START = 1_800_000_000.0


def make_job(**spec: Any) -> TrainingJob:
    return parse_job_object(
        {
            "apiVersion": "trainyard.dev/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": "fashion", "namespace": "default", "uid": "u-1"},
            "spec": {
                "data": {"source": {"uri": "pvc://datasets/fashion"}},
                "model": {"architecture": "cnn"},
                "workers": {"replicas": 2},
                **spec,
            },
        }
    )


def changed(job: TrainingJob, **spec: object) -> TrainingJob:
    """The job with another spec, as a new generation."""
    metadata = job.metadata.model_copy(update={"generation": job.metadata.generation + 1})
    update = {"metadata": metadata, "spec": job.spec.model_copy(update=spec)}
    return job.model_copy(update=update)


def train_message(accuracy: float = 0.9) -> str:
    return TerminationMessage(
        train=TrainResult(
            metrics={"accuracy": accuracy, "f1": accuracy},
            examples=1000,
            epochs=5,
            steps=100,
            model=ARTIFACT,
            keras=ARTIFACT,
        )
    ).encode()


def compress_message() -> str:
    measured = {"bytes": 100, "accuracy": 0.9, "latencyMicroseconds": 10.0}
    return TerminationMessage(
        compress=CompressResult(
            original=Measured(bytes=1000, accuracy=0.9, latencyMicroseconds=500.0),
            candidates=[Candidate.model_validate({**measured, "name": "int8", "accepted": True})],
            winner="int8",
            withinBudget=True,
            compressed=ARTIFACT,
        )
    ).encode()


@dataclass
class FakeCluster:
    """Obeys plans at once; pods do what the test says."""

    job: TrainingJob
    now: float = START
    pods: dict[str, PodView] = field(default_factory=dict)
    services: dict[str, ServiceView] = field(default_factory=dict)
    deployments: dict[str, DeploymentView] = field(default_factory=dict)
    policies: dict[str, PolicyView] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    refuses: dict[str, Refusal] = field(default_factory=dict)
    """Kinds that the API server does not take, and what it says."""
    progress: Progress | None = None
    unknown: tuple[str, ...] = ()
    retry: bool = False
    settings: Settings = SETTINGS
    refused: dict[tuple[str, str], Refusal] = field(default_factory=dict)
    """What it did not take, by kind and name."""
    created: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    deleted_job: bool = False

    def step(self) -> Plan:
        observed = Observed(
            job=self.job,
            pods=list(self.pods.values()),
            services=list(self.services.values()),
            deployments=list(self.deployments.values()),
            policies=list(self.policies.values()),
            foreign=frozenset(self.foreign),
            refusals=[said for (kind, _), said in self.refused.items() if kind in self.refuses],
            progress=self.progress,
            unknown=self.unknown,
            retry=self.retry,
        )
        plan = decide(observed, self.settings, self.now)
        self.job = self.job.model_copy(update={"status": plan.status})
        self.events += [event.reason for event in plan.events]
        for manifest in plan.replace:
            self._put(manifest)
        for ref in plan.delete:
            self.deleted_job |= ref.kind == "TrainingJob"
            self._objects(ref.kind).pop(ref.name, None)
        for manifest in plan.create:
            self._put(manifest)
        return plan

    def settle(self, limit: int = 30) -> None:
        """Decide until there is nothing more to do."""
        for _ in range(limit):
            before = self.job.status
            plan = self.step()
            refused = all(self._is_refused(m) for m in (*plan.create, *plan.replace))
            if self.job.status == before and refused and not plan.delete:
                return
        raise AssertionError("the brain never comes to rest")

    def change(self, pod: str, **fields: Any) -> None:
        self.pods[pod] = replace(self.pods[pod], **fields)

    def run_all(self) -> None:
        for name, pod in self.pods.items():
            if pod.phase == "Pending":
                self.change(name, phase="Running")

    def finish_all(self, message: str) -> None:
        for name, pod in self.pods.items():
            if not pod.finished:
                self.change(name, phase="Succeeded", exit_code=0, message=message)

    def ready_all(self) -> None:
        for name, view in self.deployments.items():
            self.deployments[name] = replace(view, ready_replicas=view.replicas, current=True)

    def succeed(self) -> None:
        """Take the job all the way."""
        self.settle()
        self.run_all()
        self.settle()
        self.finish_all(train_message())
        self.settle()
        self.run_all()
        self.settle()
        self.finish_all(compress_message())
        self.settle()
        self.ready_all()
        self.settle()

    def stage(self, name: Any) -> Stage:
        stage = self.job.status.stage(name)
        assert stage is not None
        return stage

    @property
    def phase(self) -> str:
        return self.job.status.phase

    @property
    def run_hash(self) -> str:
        assert self.job.status.run is not None
        return self.job.status.run.id.partition("-")[2]

    def names(self) -> list[str]:
        """The pods that are there and have not ended."""
        return sorted(
            f"{pod.stage}-{pod.attempt}-{pod.index}"
            for pod in self.pods.values()
            if not pod.finished
        )

    def edit(self, **spec: object) -> None:
        """Change the spec, as a new generation."""
        self.job = changed(self.job, **spec)

    def condition(self, kind: ConditionType) -> tuple[str, str, str] | None:
        """Status, reason and message of a condition."""
        found = self.job.status.condition(kind)
        return (found.status, found.reason, found.message) if found else None

    def _objects(self, kind: str) -> dict[str, Any]:
        tables: dict[str, dict[str, Any]] = {
            "Pod": self.pods,
            "Service": self.services,
            "Deployment": self.deployments,
            "NetworkPolicy": self.policies,
        }
        return tables.get(kind, {})

    def _put(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        labels = manifest["metadata"]["labels"]
        if self._is_refused(manifest):
            if kind in self.refuses:
                self.refused[kind, name] = replace(self.refuses[kind], name=name)
            return
        if kind == "Pod":
            assert name not in self.pods, f"{name} was created twice"
            self.created.append(name)
            self.pods[name] = PodView(
                name=name,
                stage=labels[LABEL_STAGE],
                run=labels[LABEL_RUN],
                attempt=int(labels[LABEL_ATTEMPT]),
                index=int(labels[LABEL_INDEX]),
            )
        elif kind == "Service":
            run = manifest["spec"]["selector"].get(LABEL_RUN, "")
            view = ServiceView(name, labels[LABEL_STAGE], run, service_digest(manifest))
            self.services[name] = view
        elif kind == "Deployment":
            self._put_deployment(name, manifest)
        else:
            self.policies[name] = PolicyView(name, policy_digest(manifest))

    def _is_refused(self, manifest: Manifest) -> bool:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        return kind in self.refuses or f"{kind}/{name}" in self.foreign

    def _put_deployment(self, name: str, manifest: Manifest) -> None:
        """One whose pods stay the same keeps those that are ready."""
        before, wanted = self.deployments.get(name), manifest["spec"]["replicas"]
        same = before is not None and before.digest == digest_of(manifest)
        ready = min(before.ready_replicas, wanted) if before is not None and same else 0
        self.deployments[name] = DeploymentView(
            name,
            manifest["metadata"]["labels"][LABEL_RUN],
            digest_of(manifest),
            manifest["spec"]["selector"]["matchLabels"],
            replicas=wanted,
            ready_replicas=ready,
            current=ready == wanted,
        )
