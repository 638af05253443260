"""`spec.evaluation`: what is measured, and what is good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from trainyard_api.model import Document, rule, rules

MetricName = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1",
    "precision_micro",
    "recall_micro",
    "f1_micro",
    "hamming_loss",
    "roc_auc",
    "average_precision",
    "mae",
    "rmse",
    "r2",
    "reconstruction_error",
    "elbo",
]

DEFAULT_METRICS: Final[Mapping[str, tuple[MetricName, ...]]] = {
    "classification": ("accuracy", "precision", "recall", "f1"),
    "multi_label": ("accuracy", "hamming_loss", "precision", "recall", "f1", "f1_micro"),
    "regression": ("mae", "rmse", "r2"),
    "reconstruction": ("reconstruction_error", "r2"),
}
"""By task."""


class Gate(Document):
    """A bound that must hold, or the run fails and nothing is rolled out."""

    model_config = rules(
        rule(
            "has(self.minimum) || has(self.maximum)",
            "a gate needs a bound: set minimum (or maximum)",
        ),
        rule(
            "!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum",
            "minimum is larger than maximum: nothing could pass",
        ),
    )

    metric: MetricName = Field(description="The metric; it must be among evaluation.metrics.")
    minimum: float | None = Field(default=None, description="Smallest value that passes.")
    maximum: float | None = Field(default=None, description="Largest value that passes.")


class Evaluation(Document):
    """What is measured on the test part."""

    model_config = rules(
        rule(
            "!has(self.gates) || !has(self.metrics) || "
            "self.gates.all(g, self.metrics.exists(m, m == g.metric))",
            "a gate names a metric that is not computed: add it to evaluation.metrics",
        )
    )

    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=16)] | None = Field(
        default=None,
        description=(
            "The metrics; by default those of the task (classification: accuracy, precision, "
            "recall, f1; multi_label: accuracy, hamming_loss, precision, recall, f1, f1_micro; "
            "regression: mae, rmse, r2; reconstruction: reconstruction_error, r2, and where they "
            "can be told elbo, roc_auc and average_precision) and of the gates. precision, recall, "
            "f1 and roc_auc are means over all classes or labels (macro)."
        ),
    )
    gates: Annotated[list[Gate], Field(max_length=16)] = Field(
        default=[],
        description="The run fails, and nothing is rolled out, where one does not hold.",
    )

    @field_validator("metrics")
    @classmethod
    def _former_default(cls, metrics: list[MetricName] | None) -> list[MetricName] | None:
        """Jobs that were applied when these were the default have them written out."""
        return None if tuple(metrics or ()) == DEFAULT_METRICS["classification"] else metrics

    def names(self, task: str, further: Sequence[MetricName] = ()) -> list[MetricName]:
        """The metrics that a job of that task computes.

        Args:
            further: what can be told in this job by default as well.
        """
        if self.metrics is not None:
            return self.metrics
        gates = [gate.metric for gate in self.gates]
        return list(dict.fromkeys([*DEFAULT_METRICS[task], *further, *gates]))
