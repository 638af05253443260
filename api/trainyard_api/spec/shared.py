"""Types that several blocks of the spec are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from trainyard_api.model import Document

JsonObject = dict[str, Any]
"""A free-form object: passed on as it is."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]
NonNegativeInt = Annotated[int, Field(ge=0, le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Percent = Annotated[int, Field(ge=1, le=100)]


class SecretReference(Document):
    """A Secret of the job's namespace, by name."""

    name: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="Name of the Secret; its keys become environment variables of the pods."
    )


class Resources(Document):
    """Compute resources of a container, as Kubernetes spells them."""

    limits: dict[str, int | str] = Field(
        default={}, description="Upper bounds, for example nvidia.com/gpu: 1 or memory: 4Gi."
    )
    requests: dict[str, int | str] = Field(
        default={}, description="What the scheduler sets aside, for example cpu: 500m."
    )


class TemplateMetadata(Document):
    """Labels and annotations that are added to each pod."""

    labels: dict[str, str] = Field(default={}, description="Labels added to each pod.")
    annotations: dict[str, str] = Field(default={}, description="Annotations added to each pod.")


class PodTemplate(Document):
    """What is laid over each pod that Trainyard builds."""

    metadata: TemplateMetadata = Field(
        default=TemplateMetadata(), description="Labels and annotations added to each pod."
    )
    spec: JsonObject = Field(
        default={},
        description=(
            "Fields of a pod's spec: tolerations, nodeSelector, affinity, volumes, sidecars. "
            "Containers and volumes are merged by name; Trainyard's container is called trainer, "
            "in the endpoint's pods serving. A program of one's own does not belong here, but to "
            "workers.image and workers.command; a sidecar belongs to initContainers, with "
            "restartPolicy: Always. What would restart a pod behind the operator's back, give it "
            "a token or make it less than restricted is refused."
        ),
    )
