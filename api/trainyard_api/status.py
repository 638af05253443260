"""The status of a TrainingJob."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from trainyard_api.model import OpenDocument

MAX_MESSAGE: Final = 32768
"""Longest text for people that the API server takes."""

Message = Annotated[str, Field(max_length=MAX_MESSAGE)]


def _finite(metrics: object) -> object:
    """Metrics without those that JSON has no number for, as the loss of a run that diverged."""
    if not isinstance(metrics, dict):
        return metrics
    return {
        name: value
        for name, value in metrics.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


Metrics = Annotated[dict[str, float], BeforeValidator(_finite)]

Phase = Literal[
    "Pending",
    "Queued",
    "Searching",
    "Training",
    "Compressing",
    "Explaining",
    "RollingOut",
    "Succeeded",
    "Failed",
    "Suspended",
]
ConditionType = Literal[
    "Accepted",
    "Running",
    "Trained",
    "Evaluated",
    "Compressed",
    "Explained",
    "Serving",
    "Succeeded",
    "Failed",
    "Suspended",
]
StageName = Literal["Search", "Train", "Compress", "Explain", "Serve"]
StageState = Literal["Pending", "Starting", "Running", "Succeeded", "Failed"]


class Condition(OpenDocument):
    """One aspect of the job's state, for programs."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(max_length=1024)]
    message: Message = ""
    lastTransitionTime: str
    observedGeneration: int = 0


class Run(OpenDocument):
    """The run that status speaks of."""

    id: str = Field(description="Counter and hash of what the run was started with.")


class Restarts(OpenDocument):
    """Restarts, by cause."""

    program: int = 0
    infrastructure: int = 0


class Stage(OpenDocument):
    """One stage of the run."""

    name: StageName
    state: StageState = "Pending"
    startTime: str | None = None
    completionTime: str | None = None
    attempts: int = Field(default=0, description="How many attempts have begun.")
    attemptTime: str | None = Field(default=None, description="When this attempt began.")
    retryTime: str | None = Field(default=None, description="When the next attempt begins.")
    workers: int | None = Field(
        default=None, description="Workers of an elastic gang that is smaller than it should be."
    )
    growTime: str | None = Field(
        default=None, description="When it begins to look for a place for the others."
    )
    blockedTime: str | None = Field(
        default=None, description="Since when it waits for something that only a person can mend."
    )
    restarts: Restarts = Field(
        default_factory=Restarts, description="What counts towards this stage's limits of retries."
    )
    specHash: str | None = Field(
        default=None,
        description="Hash of what this stage follows from beside the run; changed, a failed "
        "stage is tried again.",
    )
    message: Message = ""


class Progress(OpenDocument):
    """How far the running stage is."""

    percent: Annotated[int, Field(ge=0, le=100)] = 0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    metrics: Metrics = Field(default_factory=dict)
    secondsLeft: int | None = None
    message: Message = Field(default="", description="What is being done, for people.")
    updateTime: str | None = None


class DataRows(OpenDocument):
    """How many rows each part has."""

    train: int = 0
    validation: int = 0
    test: int = 0


class DataChanges(OpenDocument):
    """Rows of the training part that cleaning found, and those that were generated."""

    leakage: int = Field(default=0, description="That stand in validation or test as well.")
    duplicates: int = Field(default=0, description="That stand in training already.")
    outliers: int = Field(default=0, description="That lie far from the others.")
    labelErrors: int = Field(default=0, description="Whose labels seem wrong.")
    generated: int = Field(default=0, description="That were made for rare classes.")


class DataStatus(OpenDocument):
    """What the data was taken for, and what was noticed."""

    task: str = Field(
        description="What is learned: classification, multi_label, regression or reconstruction."
    )
    rows: DataRows = Field(default_factory=DataRows, description="Rows by part.")
    targets: Annotated[list[str], Field(max_length=64)] = Field(
        default_factory=list, description="Names of the classes, labels or numbers; the first ones."
    )
    targetCount: int = Field(
        default=0, description="How many classes, labels or numbers there are."
    )
    changes: DataChanges | None = Field(
        default=None, description="What cleaning found and generation made; none: nothing."
    )
    notes: Annotated[list[Message], Field(max_length=32)] = Field(
        default_factory=list, description="What was decided by itself, changed, or looks wrong."
    )


class EvaluationStatus(OpenDocument):
    """What was measured on the test part."""

    metrics: Metrics = Field(default_factory=dict)
    examples: int = 0
    gates: Literal["Passed", "Failed", "None"] = "None"


class SearchBest(OpenDocument):
    """The best trial."""

    trial: int
    value: float
    parameters: dict[str, str | float | int | bool] = Field(default_factory=dict)


class SearchStatus(OpenDocument):
    """How far the search is."""

    trials: int = 0
    succeeded: int = 0
    failed: int = 0
    best: SearchBest | None = None


class Measured(OpenDocument):
    """A model's cost and quality."""

    bytes: int = Field(description="Size of its file or folder, in bytes.")
    accuracy: float = Field(description="Accuracy on held-out rows.")
    latencyMicroseconds: float = Field(description="Median latency of one row, one thread.")
    throughput: float | None = Field(default=None, description="Rows a second in batches of 32.")


class Candidate(Measured):
    """A compressed model that was measured."""

    name: str
    accepted: bool = Field(description="Whether it is within maxAccuracyLoss.")
    reason: Message = Field(default="", description="Why it was not accepted.")


class LeftOut(OpenDocument):
    """A candidate that was asked for and is not among the measured."""

    name: str
    reason: Message = Field(description="Why: it could not be made, or the time was over.")


class CompressionStatus(OpenDocument):
    """The candidates and the winner."""

    winner: str = Field(description="Name of the model that is served.")
    metric: str = Field(
        default="accuracy", description="The metric that stands under accuracy: the task's main."
    )
    withinBudget: bool = Field(
        default=True, description="false: no candidate was accurate enough; float32 is served."
    )
    original: Measured = Field(
        description="The trained SavedModel, run by TensorFlow through serving_default; what other "
        "signatures alone need of it is not counted."
    )
    compressed: Measured = Field(description="The winner, run by LiteRT.")
    candidates: Annotated[list[Candidate], Field(max_length=64)] = Field(default_factory=list)
    leftOut: Annotated[list[LeftOut], Field(max_length=64)] = Field(default_factory=list)


class ExplanationStatus(OpenDocument):
    """What was explained."""

    methods: list[str] = Field(default_factory=list)
    agreement: float | None = None


class Artifact(OpenDocument):
    """A file or folder in the store."""

    uri: str
    sha256: str = Field(description="Digest of the file, or of the folder's files (see docs).")


class Rollback(OpenDocument):
    """Why a revision was withdrawn."""

    revision: str
    reason: Message
    time: str


class ServingStatus(OpenDocument):
    """The endpoint."""

    revision: str = Field(description="Hash of the run whose model answers.")
    state: Literal["RollingOut", "Serving", "Failed"]
    url: str = ""
    model: Artifact | None = Field(default=None, description="The model that answers.")
    readyReplicas: int = 0
    trafficPercent: int = 0
    lastRollback: Rollback | None = None


class Artifacts(OpenDocument):
    """What the run has left in the store."""

    model: Artifact | None = Field(default=None, description="The SavedModel (a folder).")
    keras: Artifact | None = Field(default=None, description="The .keras file.")
    prepared: Artifact | None = Field(
        default=None, description="The parts of the data that later stages go by (a folder)."
    )
    compressed: Artifact | None = Field(default=None, description="The winner's .tflite file.")
    report: Artifact | None = None


class TrainingJobStatus(OpenDocument):
    """What the operator knows of the job."""

    observedGeneration: int = 0
    phase: Phase = "Pending"
    run: Run | None = None
    startTime: str | None = None
    completionTime: str | None = None
    conditions: Annotated[list[Condition], Field(max_length=32)] = Field(default_factory=list)
    stages: Annotated[list[Stage], Field(max_length=8)] = Field(default_factory=list)
    progress: Progress | None = None
    data: DataStatus | None = None
    evaluation: EvaluationStatus | None = None
    search: SearchStatus | None = None
    compression: CompressionStatus | None = None
    explanation: ExplanationStatus | None = None
    serving: ServingStatus | None = None
    artifacts: Artifacts = Field(default_factory=Artifacts)
    restarts: Restarts = Field(default_factory=Restarts, description="Of all stages of the run.")

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, if there is one."""
        return next((c for c in self.conditions if c.type == kind), None)

    def stage(self, name: StageName) -> Stage | None:
        """The stage of that name, if the run has it."""
        return next((s for s in self.stages if s.name == name), None)
