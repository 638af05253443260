"""What decisions are made from: the job and the few fields of its objects that matter.

Whole pods are never kept: a cluster may have thousands of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trainyard_api.spec import TrainingJob
from trainyard_api.status import Progress

PodPhase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]
PodStage = Literal["train", "compress", "serve"]


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of a job."""

    name: str
    stage: PodStage
    run: str
    """Hash of the run it belongs to."""
    attempt: int
    index: int
    phase: PodPhase = "Pending"
    ready: bool = False
    deleting: bool = False
    disruption: str = ""
    """Reason of its DisruptionTarget condition, or of a lost node."""
    exit_code: int | None = None
    oom_killed: bool = False
    message: str = ""
    """Termination message."""
    finish_time: float | None = None
    """When its container ended, in seconds since the epoch."""
    waiting_reason: str = ""
    """Why its container waits, or why it cannot be scheduled."""
    waiting_message: str = ""
    address: str = ""
    """HOST:PORT of its progress server."""
    setting_up: bool = False
    """Whether it has a node and its container is still to come: what it waits for stands only in
    events."""

    @property
    def finished(self) -> bool:
        """Whether its containers have ended."""
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A Service of a job."""

    name: str
    stage: PodStage
    """train: the gang's names; serve: the endpoint."""
    run: str
    """Hash of the run to whose pods its selector leads; empty where it leads nowhere of ours."""
    digest: str = ""
    """Of its selector and ports as they are now, whoever has changed them."""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A NetworkPolicy of a job."""

    name: str
    digest: str = ""
    """Of its spec as it is now."""


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A Deployment of a job: one revision of its model."""

    name: str
    run: str
    digest: str
    """Digest of what it was asked to be, which an upgrade of the operator does not change."""
    selector: Mapping[str, str]
    """Labels of its pods; they can never change, so a Service has to follow them."""
    replicas: int = 0
    ready_replicas: int = 0
    current: bool = False
    """Whether its controller has seen the newest spec and all replicas are of it."""
    autoscaled: bool = False
    """Whether an autoscaler has set its replicas."""
    trouble: str = ""
    """Why its pods cannot be created, in the API server's words."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that the API server did not take."""

    kind: str
    name: str
    message: str
    invalid: bool
    """Whether it will never be taken as it is; else a quota or a policy may let it pass later."""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}: {self.message}"


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that is known of a job at one moment."""

    job: TrainingJob
    unknown: Sequence[str] = ()
    """Fields of its spec that this version does not know."""
    pods: Sequence[PodView] = ()
    services: Sequence[ServiceView] = ()
    deployments: Sequence[DeploymentView] = ()
    policies: Sequence[PolicyView] = ()
    foreign: frozenset[str] = frozenset()
    """`Kind/name` of objects that exist under a name that the job wants, but are not its own."""
    refusals: Sequence[Refusal] = ()
    """What the API server did not take of what this generation of the job asks for."""
    progress: Progress | None = None
    """What the running stage last said of itself."""
    retry: bool = False
    """Whether its user asks for a failed job once more, without having changed it."""

    def refusal(self, kind: str, name: str = "") -> Refusal | None:
        """An object that was refused; one that never passes before one that may.

        Args:
            kind: of the object.
            name: of the object; by default any.
        """
        refused = [r for r in self.refusals if r.kind == kind and name in ("", r.name)]
        return min(refused, key=lambda refusal: not refusal.invalid, default=None)
