"""Statuses of one job at different times, as the operator writes them."""

from __future__ import annotations

from typing import Any

import pytest

from trainyard_api.status import TrainingJobStatus

START = "2026-03-01T10:00:00Z"


def _running() -> dict[str, Any]:
    return {
        "phase": "Training",
        "run": {"id": "1-5f3a9c", "attempt": 1},
        "startTime": START,
        "stages": [
            {"name": "Train", "state": "Running", "startTime": START, "attempts": 1},
            {"name": "Compress"},
            {"name": "Serve"},
        ],
        "progress": {
            "percent": 42,
            "epoch": 3,
            "epochs": 5,
            "step": 940,
            "steps": 2345,
            "metrics": {"accuracy": 0.891, "loss": 0.31},
            "secondsLeft": 33,
            "message": "epoch 3 of 5",
        },
    }


def _done() -> dict[str, Any]:
    train = {
        "name": "Train",
        "state": "Succeeded",
        "startTime": START,
        "completionTime": "2026-03-01T10:01:05Z",
        "message": "5 epochs, 2345 steps",
    }
    original = {"bytes": 1690896, "accuracy": 0.8943, "latencyMicroseconds": 536.0}
    int8 = {"bytes": 433000, "accuracy": 0.8942, "latencyMicroseconds": 32.0}
    float16 = {"bytes": 849000, "accuracy": 0.8943, "latencyMicroseconds": 106.0}
    poor = {"bytes": 219000, "accuracy": 0.8, "latencyMicroseconds": 119.0}
    why = "accuracy 0.8000 is 0.0943 below the original; maxAccuracyLoss is 0.01"
    return {
        "phase": "Succeeded",
        "run": {"id": "1-5f3a9c"},
        "startTime": START,
        "completionTime": "2026-03-01T10:01:10Z",
        "stages": [train],
        "evaluation": {
            "metrics": {"f1": 0.8941, "accuracy": 0.8943, "recall": 0.8943, "precision": 0.8945},
            "examples": 10000,
            "gates": "Passed",
        },
        "compression": {
            "winner": "int8",
            "original": original,
            "compressed": int8,
            "candidates": [
                {"name": "float16", "accepted": True, **float16},
                {"name": "int8", "accepted": True, **int8},
                {"name": "int4", "accepted": False, "reason": why, **poor},
            ],
        },
        "serving": {
            "revision": "5f3a9c",
            "state": "Serving",
            "url": "http://127.0.0.1:8080",
            "readyReplicas": 1,
        },
    }


def _failed() -> dict[str, Any]:
    message = "nothing is rolled out: accuracy 0.8943 is below the minimum 0.95"
    return {
        "phase": "Failed",
        "startTime": START,
        "completionTime": "2026-03-01T10:01:10Z",
        "conditions": [
            {
                "type": "Failed",
                "status": "True",
                "reason": "GateFailed",
                "message": message,
                "lastTransitionTime": START,
            }
        ],
        "evaluation": {"metrics": {"accuracy": 0.8943}, "examples": 10000, "gates": "Failed"},
    }


@pytest.fixture
def running() -> TrainingJobStatus:
    """In the third epoch of five."""
    return TrainingJobStatus.model_validate(_running())


@pytest.fixture
def done() -> TrainingJobStatus:
    """Everything has been done, and serves."""
    return TrainingJobStatus.model_validate(_done())


@pytest.fixture
def failed() -> TrainingJobStatus:
    """A gate did not hold."""
    return TrainingJobStatus.model_validate(_failed())
