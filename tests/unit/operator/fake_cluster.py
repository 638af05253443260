"""A job, and a cluster that obeys plans, for tests of the brain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_RUN, LABEL_STAGE
from trainyard_api.problems import parse_job_object
from trainyard_api.results import CompressResult, TerminationMessage, TrainResult
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Artifact, Candidate, Measured, Stage
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import DeploymentView, Observed, PodView, ServiceView
from trainyard_operator.brain.plan import Manifest, Plan
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
    policies: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    created: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    deleted_job: bool = False

    def step(self) -> Plan:
        observed = Observed(
            job=self.job,
            pods=list(self.pods.values()),
            services=list(self.services.values()),
            deployments=list(self.deployments.values()),
            policies=frozenset(self.policies),
            foreign=frozenset(self.foreign),
        )
        plan = decide(observed, SETTINGS, self.now)
        self.job = self.job.model_copy(update={"status": plan.status})
        self.events += [event.reason for event in plan.events]
        for ref in plan.delete:
            self.deleted_job |= ref.kind == "TrainingJob"
            self._objects(ref.kind).pop(ref.name, None)
            if ref.kind == "NetworkPolicy":
                self.policies.discard(ref.name)
        for manifest in (*plan.replace, *plan.create):
            self._put(manifest)
        return plan

    def settle(self, limit: int = 30) -> None:
        """Decide until there is nothing more to do."""
        for _ in range(limit):
            before = self.job.status
            plan = self.step()
            if self.job.status == before and not (plan.create or plan.delete or plan.replace):
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

    def names(self) -> list[str]:
        return sorted(f"{pod.stage}-{pod.attempt}-{pod.index}" for pod in self.pods.values())

    def _objects(self, kind: str) -> dict[str, Any]:
        tables: dict[str, dict[str, Any]] = {
            "Pod": self.pods,
            "Service": self.services,
            "Deployment": self.deployments,
        }
        return tables.get(kind, {})

    def _put(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        labels = manifest["metadata"]["labels"]
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
            stage = labels[LABEL_STAGE]
            view = ServiceView(name, labels[LABEL_RUN], stage, digest_of(manifest))
            self.services[name] = view
        elif kind == "Deployment":
            replicas = manifest["spec"]["replicas"]
            self.deployments[name] = DeploymentView(
                name, labels[LABEL_RUN], digest_of(manifest), replicas=replicas
            )
        else:
            self.policies.add(name)
