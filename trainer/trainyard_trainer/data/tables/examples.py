"""What of a table is divided and learned from: its rows, or windows over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import naive
from trainyard_trainer.data.rows import Numbers
from trainyard_trainer.data.source import PARTS, PartName
from trainyard_trainer.data.splitting import Divisible, Planned
from trainyard_trainer.data.tables.series import TableWindows
from trainyard_trainer.data.tables.survey import Survey
from trainyard_trainer.data.tables.targets import LabelColumn
from trainyard_trainer.data.target import Classes, Quantities, Target
from trainyard_trainer.data.windows import Windows


@dataclass(frozen=True)
class Examples:
    """What the source brings, before it is divided.

    Attributes:
        labelled: of each part that there is, the rows that have its examples' labels.
        numbers: of the same examples, their numbers in what they are taken from: the rows that are
            kept, or all windows.
        groups, times: of all rows, what divides; None: nothing does.
        windows: all of them, by the numbers of all rows; None: examples are rows.
    """

    labelled: Mapping[PartName, Numbers]
    numbers: Mapping[PartName, Numbers]
    groups: NDArray[np.int32] | None
    times: NDArray[np.float64] | None
    windows: Windows | None = None

    @classmethod
    def of_rows(
        cls, every: Mapping[PartName, Numbers], good: NDArray[np.bool_], seen: Survey
    ) -> Examples:
        """Rows, of which some are not kept."""
        if good.all():
            labelled, kept = dict(every), None
        else:
            labelled = {part: rows[good[rows]] for part, rows in every.items()}
            kept = np.cumsum(good) - 1
        return cls(
            labelled,
            {part: rows if kept is None else kept[rows] for part, rows in labelled.items()},
            None if seen.groups is None else seen.groups.codes(),
            None if seen.times is None else seen.times.numbers(),
        )

    @classmethod
    def of_windows(cls, found: TableWindows) -> Examples:
        """Windows over rows that are kept. They are divided by when their labels are."""
        labelled = {part: windows.labelled for part, windows in found.parts.items()}
        return cls(labelled, found.numbers(), None, found.clock, found.all())

    def divisible(self, targets: NDArray[np.generic]) -> Divisible:
        """The training part as the division takes it."""
        train = self.labelled["train"]
        return Divisible(
            targets,
            None if self.groups is None else self.groups[train].astype(np.int64),
            None if self.times is None else self.times[train],
        )

    def learned(self, train: Numbers, rows: int) -> NDArray[np.bool_]:
        """Which of all rows train.

        Args:
            train: places of the examples that do, among those of the training part.
            rows: of the table.
        """
        if self.windows is not None:
            return self.windows.only(self.numbers["train"][train]).seen(rows)
        learns = np.zeros(rows, np.bool_)
        learns[self.labelled["train"][train]] = True
        return learns

    def divided(
        self, planned: Planned, targets: Mapping[PartName, NDArray[np.generic]]
    ) -> tuple[dict[PartName, Numbers], dict[PartName, NDArray[np.generic]]]:
        """The numbers of each part's examples, and their targets.

        Args:
            targets: of the parts that the source brings.
        """
        cut = planned.parts
        numbers: dict[PartName, Numbers] = {}
        held: dict[PartName, NDArray[np.generic]] = {}
        for part in PARTS:
            if part != "train" and part in self.numbers:
                numbers[part], held[part] = self.numbers[part], targets[part]
            else:
                numbers[part] = self.numbers["train"][cut[part]]
                held[part] = targets["train"][cut[part]]
        return numbers, held

    def naive_forecast(
        self, test: Numbers, labels: Sequence[LabelColumn], target: Target
    ) -> list[str]:
        """A sentence on what the label's last value is worth, where examples are windows.

        Args:
            test: numbers of the test part's windows.
        """
        if self.windows is None:
            return []
        windows = self.windows.only(test)
        if isinstance(target, Quantities):
            values = np.stack([label.kept.numbers() for label in labels], axis=1)
            return [naive.of_numbers(values[windows.last], values[windows.labelled])]
        if isinstance(target, Classes) and len(labels) == 1:
            codes = labels[0].kept.texts()[1].astype(np.int64)
            return [naive.of_classes(codes[windows.last], codes[windows.labelled])]
        return []
