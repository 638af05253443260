"""What cleaning found in the training part, row by row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainyard_trainer.data.rows import Numbers, Place

Problem = Literal["leakage", "duplicates", "outliers", "labelErrors"]
Action = Literal["kept", "dropped", "clipped"]


@dataclass(frozen=True)
class Finding:
    """Rows of the training part that have one problem.

    Attributes:
        action: what was done about them.
        numbers: of the rows in the training part's source.
        detail: of the row at a place of `numbers`: what is wrong with it, for people.
    """

    problem: Problem
    action: Action
    numbers: Numbers
    detail: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.numbers)


def counts(findings: Sequence[Finding]) -> Counter[Problem]:
    """How many rows have which problem."""
    found: Counter[Problem] = Counter()
    for finding in findings:
        found[finding.problem] += len(finding)
    return found


def write(path: Path, findings: Sequence[Finding], place: Place) -> None:
    """Write a table of all rows that were found: problem, action, place and detail of each.

    Args:
        place: of a row in the training part's source.

    Raises:
        OSError: the disk refuses.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("problem", "action", "place", "detail"))
        for finding in findings:
            for index, number in enumerate(finding.numbers.tolist()):
                row = (finding.problem, finding.action, place(number), finding.detail(index))
                table.writerow(row)
