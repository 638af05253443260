"""`spec.runPolicy`: retries, deadlines and what is left behind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.names import MANAGER
from trainyard_api.spec.shared import NonNegativeInt, PositiveInt


class RunPolicy(Document):
    """Retries, deadlines and what is left behind."""

    suspend: bool = Field(
        default=False, description="Free all pods and keep checkpoints and results."
    )
    managedBy: Annotated[str, Field(max_length=253)] = Field(
        default=MANAGER, description="Controller of this job; another value: hands off."
    )
    queueName: Annotated[str, Field(max_length=253)] | None = Field(
        default=None, description="LocalQueue of Kueue."
    )
    schedulerName: Annotated[str, Field(max_length=253)] | None = Field(
        default=None, description="Scheduler of the pods."
    )
    priorityClassName: Annotated[str, Field(max_length=253)] | None = Field(
        default=None, description="PriorityClass of the pods."
    )
    backoffLimit: NonNegativeInt = Field(
        default=3, description="Restarts after the program failed; then the run fails."
    )
    infrastructureRestartLimit: NonNegativeInt = Field(
        default=100, description="Restarts after a lost node, an eviction or a preemption."
    )
    startTimeoutSeconds: PositiveInt = Field(
        default=600, description="Time in which all workers must be running."
    )
    activeDeadlineSeconds: PositiveInt | None = Field(
        default=None, description="Time from the start after which the run fails."
    )
    ttlSecondsAfterFinished: NonNegativeInt | None = Field(
        default=None, description="Time after which a finished job is deleted; null: never."
    )
    cleanPodPolicy: Literal["All", "Running", "None"] = Field(
        default="Running", description="Which pods are deleted when the job has finished."
    )
