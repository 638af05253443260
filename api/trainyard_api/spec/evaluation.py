"""`spec.evaluation`: what is measured, and what is good enough."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document, rule, rules

MetricName = Literal["accuracy", "precision", "recall", "f1", "roc_auc"]


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
            "!has(self.gates) || self.gates.all(g, self.metrics.exists(m, m == g.metric))",
            "a gate names a metric that is not computed: add it to evaluation.metrics",
        )
    )

    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=16)] = Field(
        default=["accuracy", "precision", "recall", "f1"],
        description="The metrics; precision, recall and f1 are means over the classes (macro).",
    )
    gates: Annotated[list[Gate], Field(max_length=16)] = Field(
        default=[],
        description="The run fails, and nothing is rolled out, where one does not hold.",
    )
