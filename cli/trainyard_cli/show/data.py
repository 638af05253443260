"""What the data was taken for, in a few lines: task, rows by part, and what was noticed."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from trainyard_api.listing import listed
from trainyard_api.status import DataRows, DataStatus
from trainyard_cli.show.units import count

_NAMES: Final = 5
_NOTES: Final = 8
_THINGS: Final = {"classification": "class", "multi_label": "label"}


def render_data(data: DataStatus) -> RenderableType:
    """A line of what is learned from how many rows; below it the notes, the first ones."""
    notes: list[RenderableType] = [
        Padding(Text(f"- {note}"), (0, 0, 0, 2)) for note in data.notes[:_NOTES]
    ]
    if (more := len(data.notes) - _NOTES) > 0:
        notes.append(Padding(Text(f"{more} more in status.data.notes", "dim"), (0, 0, 0, 2)))
    head = Text.assemble(("Data: ", "bold"), f"{_learned(data)}; {_rows(data.rows)}")
    return Group(head, *notes)


def _learned(data: DataStatus) -> str:
    """The task, and what it tells: "classification of 3 classes (a, b, c)"."""
    total = max(data.targetCount, len(data.targets))
    if not total:
        return data.task
    # Only the first names are in status.
    first = data.targets[:_NAMES]
    names = listed([*first, *[""] * (total - len(first))], len(first)) if first else ""
    if data.task == "reconstruction":
        told = [
            f"{kind} {name}" for kind, name in zip(("normal", "anomalies"), first, strict=False)
        ]
        return f"{data.task} ({', '.join(told)})"
    thing = _THINGS.get(data.task, "number")
    plural = "" if total == 1 else "es" if thing == "class" else "s"
    return f"{data.task} of {count(total)} {thing}{plural}" + (f" ({names})" if names else "")


def _rows(rows: DataRows) -> str:
    parts = {"training": rows.train, "validation": rows.validation, "test": rows.test}
    return ", ".join(f"{count(number)} {name}" for name, number in parts.items()) + " rows"
