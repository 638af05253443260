"""`spec.workers`: the gang of trainer pods."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document, rule, rules
from trainyard_api.spec.shared import PodTemplate, Resources


class Workers(Document):
    """The gang: pods that train one model together and start, fail and restart as one."""

    model_config = rules(
        rule(
            "!has(self.minReplicas) || self.minReplicas <= self.replicas",
            "minReplicas must not be larger than replicas",
        ),
    )

    replicas: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="How many worker pods train together."
    )
    minReplicas: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="The gang is elastic: where lost workers cannot be placed again, it goes on "
        "with as many as can, but not with fewer than these, and grows back later.",
    )
    elasticDelaySeconds: Annotated[int, Field(ge=0, le=86400)] = Field(
        default=60,
        description="How long an elastic gang waits for a place for lost workers.",
    )
    image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None, description="Image of the pods; by default the operator's trainer image."
    )
    command: Annotated[list[str], Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="A program of one's own instead of Trainyard's trainer; it gets TF_CONFIG.",
    )
    resources: Resources = Field(
        default=Resources(), description="Resources of each worker, for example nvidia.com/gpu."
    )
    communication: Literal["auto", "ring", "nccl"] = Field(
        default="auto", description="How gradients are reduced; nccl needs GPUs."
    )
    hostNetwork: bool = Field(
        default=False, description="Use the node's network, with ports from the operator's range."
    )
    sharedMemory: Annotated[str, Field(pattern=r"^[0-9]+(Ki|Mi|Gi|Ti)?$")] | None = Field(
        default=None, description="Size of /dev/shm, for example 1Gi."
    )
    terminationGracePeriodSeconds: Annotated[int, Field(ge=1, le=86400)] = Field(
        default=120,
        description="Time that a worker gets to save when it is told to stop; then it is killed.",
    )
    template: PodTemplate = Field(
        default=PodTemplate(), description="Laid over each pod: tolerations, nodeSelector, ..."
    )
