"""The closing tables: how good the model is, and what each compressed one costs."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trainyard_api.status import Candidate, CompressionStatus, EvaluationStatus, Measured
from trainyard_cli.show.units import count, difference, microseconds, share, times

_METRICS = ("accuracy", "precision", "recall", "f1", "mae", "rmse", "r2")


def render_evaluation(evaluation: EvaluationStatus) -> RenderableType:
    """What was measured of the original on the test part."""
    table = _table("Original, on the test part")
    names = [name for name in _METRICS if name in evaluation.metrics]
    names += sorted(set(evaluation.metrics) - set(names))
    for name in [*names, "examples", "gates"]:
        table.add_column(name, justify="right", no_wrap=True)
    gates = {"Passed": "[green]passed", "Failed": "[red]failed", "None": "none"}[evaluation.gates]
    values = [share(evaluation.metrics[name]) for name in names]
    table.add_row(*values, count(evaluation.examples), gates)
    return table


def render_compression(compression: CompressionStatus) -> RenderableType:
    """The original and each candidate, which won, and why others were not accepted."""
    table = _table("Models")
    table.add_column("model", overflow="fold")
    for name in ("bytes", "ratio", compression.metric, "lost", "µs/row", "speed-up"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    original = compression.original
    table.add_row("original", *_numbers(original, original), "")
    for candidate in compression.candidates:
        verdict, style = _verdict(candidate, compression)
        table.add_row(Text(candidate.name), *_numbers(candidate, original), verdict, style=style)
    return Group(table, *_remarks(compression))


def _table(title: str) -> Table:
    """A table without lines between its columns: all eight fit on 80 of a terminal."""
    return Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )


def _numbers(model: Measured, original: Measured) -> list[str]:
    itself = model is original
    return [
        count(model.bytes),
        "" if itself else times(original.bytes / max(1, model.bytes)),
        share(model.accuracy),
        "" if itself else difference(original.accuracy - model.accuracy),
        microseconds(model.latencyMicroseconds),
        ""
        if itself
        else times(original.latencyMicroseconds / max(1e-9, model.latencyMicroseconds)),
    ]


def _verdict(candidate: Candidate, compression: CompressionStatus) -> tuple[str, str]:
    if candidate.name == compression.winner:
        return "won", "bold green" if compression.withinBudget else "bold yellow"
    return ("accepted", "") if candidate.accepted else ("refused", "dim")


def _remarks(compression: CompressionStatus) -> list[Text]:
    remarks = [
        Text(f"{candidate.name} was refused: {candidate.reason or 'no reason was given'}")
        for candidate in compression.candidates
        if not candidate.accepted
    ]
    if not compression.withinBudget:
        text = f"No candidate was accurate enough: {compression.winner} is taken."
        remarks.append(Text(text, "yellow"))
    remarks.append(
        Text(
            "original: the SavedModel, run by TensorFlow; the others by LiteRT. "
            "µs/row: median of single rows, one thread.",
            "dim",
        )
    )
    return remarks
