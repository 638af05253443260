"""How far a compressed model's answers are the original's.

Where rows are rebuilt, an answer may be a row, latents or a score, of which no label says whether
it is right. What was trained is taken as right; what compression changed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from trainyard_trainer.data.rows import Targets
from trainyard_trainer.evaluation.reconstruction import r2
from trainyard_trainer.tasks.task import Outputs


class Agreement:
    """The share of the variance of the original's answers that is kept: 1 where all are alike."""

    main_metric: str = "agreement"

    def __init__(self, original: Outputs) -> None:
        """Args:
        original: its answers to the held-out rows, (rows, outputs).
        """
        self._original = original

    @property
    def outputs(self) -> int:
        """How many numbers an answer has."""
        return self._original.shape[1]

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The agreement, under each name."""
        del targets
        return dict.fromkeys(metrics, r2(self._original, outputs))
