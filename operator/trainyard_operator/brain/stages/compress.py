"""Compress: one pod makes the candidates, measures them, and names the winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainyard_api.results import CompressResult, TerminationMessage
from trainyard_api.spec import TrainingJob
from trainyard_api.status import CompressionStatus, Measured
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.pods import build_compressor


@dataclass(frozen=True)
class Compress:
    """The stage."""

    name: Literal["Compress"] = "Compress"
    phase: Literal["Compressing"] = "Compressing"

    def size(self, job: TrainingJob) -> int:  # noqa: ARG002
        """One pod."""
        return 1

    def prepare(self, draft: Draft) -> None:
        """It needs nothing beside its pod."""

    def build(
        self,
        draft: Draft,
        attempt: int,
        indexes: Sequence[int],
        size: int,  # noqa: ARG002
    ) -> list[Manifest]:
        """The pod that compresses the model that was trained."""
        artifacts = draft.status.artifacts
        return [
            build_compressor(draft.job, draft.run, attempt, artifacts, draft.settings)
            for _ in indexes
        ]

    def asked(self, job: TrainingJob) -> str:  # noqa: ARG002
        """Nothing could be served without."""
        return "the model that is to be served stands in it"

    def finish(self, draft: Draft, result: TerminationMessage | None) -> None:
        """The winner is what will be served."""
        if result is None or result.compress is None:
            raise ValueError("no result of Compress")
        _take_up(draft, result.compress)


def _take_up(draft: Draft, result: CompressResult) -> None:
    winner = next(c for c in result.candidates if c.name == result.winner)
    ratio = result.original.bytes / max(winner.bytes, 1)
    text = f"{result.winner}: {winner.bytes} bytes, {ratio:.1f} times smaller"
    if not result.withinBudget:
        text = f"no candidate was accurate enough; {result.winner} is served"
    text = "; ".join([text, *result.notes])
    draft.update(
        compression=CompressionStatus(
            winner=result.winner,
            metric=result.metric,
            withinBudget=result.withinBudget,
            original=result.original,
            compressed=Measured.model_validate(winner.model_dump()),
            candidates=result.candidates,
            leftOut=result.leftOut,
        ),
        artifacts=draft.status.artifacts.model_copy(update={"compressed": result.compressed}),
        progress=None,
    )
    draft.update_stage("Compress", state="Succeeded", completionTime=draft.timestamp, message=text)
    reason = "WinnerFound" if result.withinBudget else "NoneWithinBudget"
    draft.set_condition("Compressed", "True", reason, text)
    draft.event("Normal" if result.withinBudget else "Warning", reason, text)
