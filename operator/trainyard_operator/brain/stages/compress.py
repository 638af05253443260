"""Compress: one pod makes the candidates, measures them, and names the winner."""

from __future__ import annotations

from trainyard_api.results import CompressResult
from trainyard_api.status import CompressionStatus, Measured
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.gang.gang import Gang, run_gang
from trainyard_operator.build.pods import build_compressor


def decide(draft: Draft) -> None:
    """Bring the stage forward."""
    model = draft.status.artifacts.model
    if model is None:
        raise ValueError("Compress was reached without a trained model")
    draft.update(phase="Compressing")
    pod = build_compressor(draft.job, draft.run, draft.attempt, model, draft.settings)
    result = run_gang(draft, Gang("Compress", "compress", [pod]))
    if result is not None and result.compress is not None:
        _finish(draft, result.compress)


def _finish(draft: Draft, result: CompressResult) -> None:
    winner = next(c for c in result.candidates if c.name == result.winner)
    ratio = result.original.bytes / winner.bytes
    text = f"{result.winner}: {winner.bytes} bytes, {ratio:.1f} times smaller"
    if not result.withinBudget:
        text = f"no candidate was accurate enough; {result.winner} is served"
    draft.update(
        compression=CompressionStatus(
            winner=result.winner,
            withinBudget=result.withinBudget,
            original=result.original,
            compressed=Measured.model_validate(winner.model_dump()),
            candidates=result.candidates,
            leftOut=result.leftOut,
        ),
        artifacts=draft.status.artifacts.model_copy(update={"compressed": result.compressed}),
        progress=None,
    )
    draft.set_attempt(1)
    draft.update_stage("Compress", state="Succeeded", completionTime=draft.timestamp, message=text)
    reason = "WinnerFound" if result.withinBudget else "NoneWithinBudget"
    draft.set_condition("Compressed", "True", reason, text)
    draft.event("Normal" if result.withinBudget else "Warning", reason, text)
