"""What each column is: told by its values, or by the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trainyard_api.contract import ColumnKind
from trainyard_trainer.data.tables.survey import Seen

COLUMNS_FIELD: Final = "spec.data.source.columns"

_NEARLY: Final = 0.05
"""Share of cells that may be something else where numbers are due."""
_FEW: Final = 20
"""So many different values are categories, even where most of them are numbers."""
_IDENTITIES: Final = 20
"""Rows from which on a column that differs in each of them is one of names or numbers of rows."""
_WORDS: Final = 3.0
"""In a cell, on average: from so many on, texts are read word by word."""
_DIFFERENT: Final = 0.5
"""Share of cells that differ, for the same."""
_MANY_DIFFERENT: Final = 1000


@dataclass(frozen=True)
class Decision:
    """Attributes:
    kind: None where the column is left out.
    note: a sentence for people, or none.
    """

    kind: ColumnKind | None
    note: str = ""


def decide(name: str, seen: Seen, rows: int, overridden: Mapping[str, ColumnKind]) -> Decision:
    """What a column is.

    Args:
        rows: of the table.
    """
    known = rows - seen.missing
    if known == 0:
        return Decision(None, f"{name}: left out, since it holds nothing in any row")
    one = f"{name}: holds the same in every row, which tells nothing"
    note = one if seen.different == 1 and rows == seen.sampled + seen.missing else ""
    if name in overridden:
        return Decision(overridden[name], note)
    if not seen.texts:
        return Decision(_native(seen), note or _numbered(name, seen, rows))
    for kind in ("number", "boolean", "time"):
        trial = seen.trials.get(kind)
        if trial is None:
            continue
        nearly = kind != "boolean" and seen.different > _FEW and trial.wrong <= _NEARLY * known
        if trial.wrong == 0 or nearly:
            found: ColumnKind = kind
            told = _numbered(name, seen, rows) if kind == "number" else ""
            return Decision(found, note or told)
    return _of_texts(name, seen, note)


def _native(seen: Seen) -> ColumnKind:
    if seen.natives == {"boolean"}:
        return "boolean"
    return "time" if seen.natives == {"time"} else "number"


def _of_texts(name: str, seen: Seen, note: str) -> Decision:
    words = seen.words / max(1, seen.sampled)
    differs = seen.different > min(_MANY_DIFFERENT, _DIFFERENT * seen.sampled)
    if words >= _WORDS and differs:
        return Decision("text", note)
    if seen.different == seen.sampled >= _IDENTITIES and words < _WORDS:
        return Decision(
            None,
            f"{name}: left out, since each row has another (an id?); to learn from it, set "
            f"{COLUMNS_FIELD}: {{{name}: category}} or text",
        )
    return Decision("category", note)


def _numbered(name: str, seen: Seen, rows: int) -> str:
    """A sentence where whole numbers look like those of rows."""
    all_differ = seen.different == seen.sampled >= _IDENTITIES
    enough = rows == seen.sampled + seen.missing or seen.different > _MANY_DIFFERENT
    if not (seen.whole and seen.natives <= {"number"} and all_differ and enough):
        return ""
    return (
        f"{name}: a whole number that differs in every row; if it is an id, leave it out by "
        f"spec.data.source.features"
    )
