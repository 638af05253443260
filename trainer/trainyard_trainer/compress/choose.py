"""Which candidate is served: a decision over numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from trainyard_api.status import Candidate, Measured

FALLBACK: Final = "float32"
"""The model as it was trained, only in LiteRT's format: what is served if nothing else may be."""

LATENCY_NOISE: Final = 0.10
"""Latencies that differ by less than this share count as equal: so much do two runs differ."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Choice:
    """What was decided.

    Attributes:
        winner: name of the model to serve.
        within_budget: whether any of the asked techniques kept to the accuracy budget.
        candidates: all of them, in the order in which they were given.
    """

    winner: str
    within_budget: bool
    candidates: tuple[Candidate, ...]


def choose(
    original_accuracy: float,
    measured: Mapping[str, Measured],
    objective: Literal["latency", "size"],
    max_accuracy_loss: float,
    metric: str = "accuracy",
) -> Choice:
    """The best model by the objective, among those that are accurate enough.

    By latency: of the fastest and those within LATENCY_NOISE of it, the smallest; then the more
    accurate. By size: the smallest; then the faster, then the more accurate. `float32` takes part
    too: where it is faster than everything else, it wins. Where none of the techniques is
    accurate enough, it is served whatever it lost itself, and the budget counts as missed.

    Args:
        original_accuracy: of the trained SavedModel, on the same rows.
        measured: by name; FALLBACK must be among them.
        objective: what the winner is best in.
        max_accuracy_loss: accuracy that may be lost, absolute.
        metric: name of what is called accuracy here, for messages.

    Raises:
        KeyError: FALLBACK is missing.
    """
    if FALLBACK not in measured:
        raise KeyError(f"{FALLBACK} was not measured")
    candidates = tuple(
        _judge(name, each, metric, original_accuracy, max_accuracy_loss)
        for name, each in measured.items()
    )
    accepted = [each for each in candidates if each.accepted]
    if all(each.name == FALLBACK for each in accepted):
        return Choice(FALLBACK, within_budget=False, candidates=candidates)
    best = _smallest(accepted) if objective == "size" else _fastest(accepted)
    return Choice(best.name, within_budget=True, candidates=candidates)


def _judge(
    name: str, measured: Measured, metric: str, original: float, allowed: float
) -> Candidate:
    loss = original - measured.accuracy
    # 0.90 - 0.89 is a little more than 0.01 in binary.
    accepted = loss <= allowed + _ROUNDING
    reason = (
        ""
        if accepted
        else f"loses {loss:.4f} of {metric} ({original:.4f} to {measured.accuracy:.4f}); "
        f"maxAccuracyLoss allows {allowed:.4f}"
    )
    return Candidate(name=name, accepted=accepted, reason=reason, **measured.model_dump())


def _smallest(accepted: list[Candidate]) -> Candidate:
    return min(accepted, key=lambda each: (each.bytes, each.latencyMicroseconds, -each.accuracy))


def _fastest(accepted: list[Candidate]) -> Candidate:
    limit = min(each.latencyMicroseconds for each in accepted) * (1 + LATENCY_NOISE)
    equal = [each for each in accepted if each.latencyMicroseconds <= limit]
    return min(equal, key=lambda each: (each.bytes, -each.accuracy, each.latencyMicroseconds))
