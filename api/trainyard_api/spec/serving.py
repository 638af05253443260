"""`spec.serving`: the endpoint."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document, rule, rules
from trainyard_api.spec.shared import Fraction, Percent, PodTemplate, PositiveInt, Resources

DNS_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"


class Autoscaling(Document):
    """A HorizontalPodAutoscaler."""

    model_config = rules(
        rule(
            "self.minReplicas <= self.maxReplicas",
            "minReplicas must not be larger than maxReplicas",
        )
    )

    minReplicas: PositiveInt = Field(default=1, description="Fewest replicas.")
    maxReplicas: PositiveInt = Field(description="Most replicas.")
    targetCPUUtilizationPercentage: Percent = Field(
        default=70, description="CPU use that the autoscaler aims at, of the request."
    )


class Batching(Document):
    """Requests that are answered together."""

    maxSize: PositiveInt = Field(default=32, description="Most rows of one batch.")
    maxDelayMilliseconds: Annotated[float, Field(ge=0)] = Field(
        default=2.0, description="Time that a request waits for others."
    )


class RolloutGates(Document):
    """What a new revision has to prove."""

    maxAccuracyLoss: Fraction = Field(
        default=0.01, description="Accuracy over the network below the measured one, absolute."
    )
    latencyP95Milliseconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="95th percentile of the latency, at most."
    )
    maxErrorRate: Fraction = Field(default=0.01, description="Share of failed requests, at most.")


class Rollout(Document):
    """How a new revision takes over."""

    steps: Annotated[list[Percent], Field(max_length=16)] = Field(
        default=[], description="Percent of traffic of each step; then all."
    )
    intervalSeconds: PositiveInt = Field(default=30, description="Length of a step.")
    gates: RolloutGates | None = Field(default=None, description="What it has to prove.")
    progressDeadlineSeconds: PositiveInt = Field(
        default=300, description="Time in which a new revision must become ready."
    )
    gateway: Annotated[str, Field(max_length=253)] | None = Field(
        default=None, description="Name of a Gateway that weighs traffic; null: replica counts."
    )


class Serving(Document):
    """The endpoint that answers with the winning model."""

    name: Annotated[str, Field(pattern=DNS_LABEL, max_length=50)] | None = Field(
        default=None, description="Name of the Service; by default the job's."
    )
    replicas: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="How many serving pods."
    )
    port: Annotated[int, Field(ge=1024, le=65535)] = Field(
        default=8080, description="Port of the Service and of its pods."
    )
    resources: Resources = Field(
        default=Resources(requests={"cpu": "100m", "memory": "128Mi"}),
        description="Resources of each serving pod.",
    )
    autoscaling: Autoscaling | None = Field(default=None, description="Replicas by load.")
    batching: Batching | None = Field(default=None, description="Requests answered together.")
    rollout: Rollout = Field(default=Rollout(), description="How a new revision takes over.")
    backend: Literal["deployment", "kserve"] = Field(
        default="deployment", description="What carries the pods."
    )
    template: PodTemplate = Field(default=PodTemplate(), description="Laid over each pod.")
