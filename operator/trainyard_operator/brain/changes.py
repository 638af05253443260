"""The fields of status that a decision can change, typed: a misspelt one fails the type check."""

from __future__ import annotations

from typing import TypedDict

from trainyard_api.status import (
    Artifacts,
    CompressionStatus,
    Condition,
    DataStatus,
    EvaluationStatus,
    ExplanationStatus,
    Phase,
    Progress,
    Restarts,
    Run,
    SearchStatus,
    ServingStatus,
    Stage,
    StageState,
)


class StatusChanges(TypedDict, total=False):
    """Fields of `TrainingJobStatus`."""

    observedGeneration: int
    phase: Phase
    run: Run | None
    startTime: str | None
    completionTime: str | None
    conditions: list[Condition]
    stages: list[Stage]
    progress: Progress | None
    data: DataStatus | None
    evaluation: EvaluationStatus | None
    search: SearchStatus | None
    compression: CompressionStatus | None
    explanation: ExplanationStatus | None
    serving: ServingStatus | None
    artifacts: Artifacts
    restarts: Restarts


class StageChanges(TypedDict, total=False):
    """Fields of `Stage` but its name."""

    state: StageState
    startTime: str | None
    completionTime: str | None
    attempts: int
    attemptTime: str | None
    retryTime: str | None
    workers: int | None
    growTime: str | None
    blockedTime: str | None
    restarts: Restarts
    specHash: str | None
    message: str
