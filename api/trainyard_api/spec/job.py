"""The TrainingJob itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from trainyard_api.model import Document, OpenDocument, rule, rules
from trainyard_api.names import API_VERSION, KIND, MAX_JOB_NAME
from trainyard_api.spec.code import Code
from trainyard_api.spec.compression import Compression
from trainyard_api.spec.data import Data
from trainyard_api.spec.evaluation import Evaluation
from trainyard_api.spec.explanation import Explanation
from trainyard_api.spec.model import Model
from trainyard_api.spec.run_policy import RunPolicy
from trainyard_api.spec.search import Search
from trainyard_api.spec.serving import DNS_LABEL, Serving
from trainyard_api.spec.storage import Storage
from trainyard_api.spec.training import Training
from trainyard_api.spec.workers import Workers
from trainyard_api.status import TrainingJobStatus


class TrainingJobSpec(Document):
    """What to learn from, and what is good enough."""

    model_config = rules(
        rule(
            "self.training.batchSize >= self.workers.replicas",
            "training.batchSize is the batch of all workers together: "
            "make it at least workers.replicas",
        ),
    )

    data: Data = Field(description="What to learn from.")
    model: Model = Field(description="What learns.")
    code: Code | None = Field(
        default=None,
        description="Python code of one's own, for model.custom, training.loss and "
        "training.callbacks; by default what the trainer's image has.",
    )
    training: Training = Field(default=Training(), description="How the model learns.")
    workers: Workers = Field(default=Workers(), description="The gang of trainer pods.")
    evaluation: Evaluation = Field(
        default=Evaluation(), description="What is measured, and what is good enough."
    )
    search: Search | None = Field(default=None, description="Choosing hyperparameters.")
    compression: Compression | None = Field(
        default=None, description="The smaller model, and what it may cost."
    )
    explanation: Explanation | None = Field(
        default=None, description="Why the model decides as it does."
    )
    serving: Serving | None = Field(default=None, description="The endpoint.")
    storage: Storage | None = Field(
        default=None, description="Where checkpoints and models are kept; default: the operator's."
    )
    runPolicy: RunPolicy = Field(
        default=RunPolicy(), description="Retries, deadlines and what is left behind."
    )

    @property
    def learned_data(self) -> Data:
        """The data with the task that the architecture decides, where the spec names none."""
        if self.data.task is None and self.model.architecture == "vae":
            return self.data.model_copy(update={"task": "reconstruction"})
        return self.data


class Metadata(OpenDocument):
    """The metadata that decisions need."""

    name: Annotated[str, Field(pattern=DNS_LABEL, min_length=1, max_length=MAX_JOB_NAME)] = Field(
        description="Lower-case letters, digits and '-', beginning with a letter."
    )
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    resourceVersion: str = ""
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class TrainingJob(Document):
    """One model, from data to a serving deployment."""

    model_config = ConfigDict(extra="ignore")

    apiVersion: Literal["trainyard.dev/v1alpha1"] = API_VERSION
    kind: Literal["TrainingJob"] = KIND
    metadata: Metadata
    spec: TrainingJobSpec
    status: TrainingJobStatus = Field(default_factory=TrainingJobStatus)
