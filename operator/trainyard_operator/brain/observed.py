"""What decisions are made from: the job and the few fields of its objects that matter.

Whole pods are never kept: a cluster may have thousands of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from trainyard_api.spec import TrainingJob
from trainyard_api.status import Progress

PodPhase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]
PodStage = Literal["train", "compress", "serve"]


@dataclass(frozen=True)
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

    @property
    def finished(self) -> bool:
        """Whether its containers have ended."""
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True)
class ServiceView:
    """A Service of a job."""

    name: str
    run: str
    """Hash of the run to whose pods it leads."""
    stage: PodStage
    """train: the gang's names; serve: the endpoint."""
    digest: str = ""


@dataclass(frozen=True)
class DeploymentView:
    """A Deployment of a job: one revision of its model."""

    name: str
    run: str
    digest: str
    """Digest of what it was built from, to see drift without comparing whole objects."""
    replicas: int = 0
    ready_replicas: int = 0
    current: bool = False
    """Whether its controller has seen the newest spec and all replicas are of it."""


@dataclass(frozen=True)
class Refusal:
    """An object that the API server did not take."""

    object: str
    """`Kind/name`."""
    message: str
    invalid: bool
    """Whether it will never be taken as it is; else a quota or a policy may let it pass later."""


@dataclass(frozen=True)
class Observed:
    """Everything that is known of a job at one moment."""

    job: TrainingJob
    pods: Sequence[PodView] = ()
    services: Sequence[ServiceView] = ()
    deployments: Sequence[DeploymentView] = ()
    policies: frozenset[str] = frozenset()
    """Names of the job's NetworkPolicies."""
    foreign: frozenset[str] = frozenset()
    """`Kind/name` of objects that exist under a name that the job wants, but are not its own."""
    refusal: Refusal | None = None
    """What the API server did not take of what this generation of the job asks for."""
    progress: Progress | None = field(default=None)
    """What the running stage last said of itself."""
