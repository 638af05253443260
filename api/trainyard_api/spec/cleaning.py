"""`spec.data.cleaning`: what is mended before training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document, rule, rules


class Missing(Document):
    """What is done with missing values."""

    strategy: Literal["error", "drop", "mean", "median", "most_frequent", "constant"] = Field(
        default="error",
        description=(
            "error stops the job and names the columns; drop leaves the rows out, in every part. "
            "The others fill in numbers and times, by what the training part has; truth values "
            "take the most frequent one, categories that are missing are one of their own. Texts "
            "may always be empty."
        ),
    )
    fill: float | None = Field(default=None, description="The number that constant fills in.")


class Outliers(Document):
    """What is done with outliers of the training part."""

    model_config = rules(
        rule(
            "self.method != 'isolation_forest' || !has(self.action) || self.action == 'drop'",
            "isolation_forest finds rows, not values that could be clipped: set action: drop",
        ),
        rule(
            "self.method != 'isolation_forest' || !has(self.threshold) || self.threshold < 1.0",
            "the scores of isolation_forest lie between 0 and 1: make threshold smaller than 1",
        ),
    )

    method: Literal["zscore", "iqr", "isolation_forest"] = Field(
        description="How they are found: columns of numbers by their distance from the mean "
        "(zscore) or from the quartiles (iqr), or whole rows by how easily they are set apart "
        "(isolation_forest)."
    )
    threshold: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="What is ordinary: standard deviations (zscore; by default 4), interquartile "
        "ranges (iqr; by default 3), or the score from 0 to 1 (isolation_forest; by default 0.6).",
    )
    action: Literal["drop", "clip"] | None = Field(
        default=None,
        description="Rows are dropped, or values clipped to what is ordinary; by default clip, and "
        "drop for isolation_forest.",
    )


class LabelErrors(Document):
    """What is done with labels of the training part that confident learning holds wrong."""

    action: Literal["report", "drop"] = Field(
        default="report",
        description="What happens to them: they are listed, or dropped from training. The model is "
        "trained folds times more to find them.",
    )
    folds: Annotated[int, Field(ge=2, le=20)] = Field(
        default=5, description="Each row is judged by a model that has not learned from its fold."
    )


class Cleaning(Document):
    """Cleaning of the training part, in this order: missing, leakage, duplicates, outliers,
    label errors. Validation and test stay as they are, but for missing values.
    """

    missing: Missing = Field(default=Missing(), description="Missing values.")
    leakage: Literal["auto", "drop", "keep"] = Field(
        default="auto",
        description="Rows that stand in validation or test as well: dropped from training, or kept "
        "and told. auto drops them, unless rows repeat by nature: over a tenth of training does.",
    )
    duplicates: Literal["keep", "drop"] = Field(
        default="keep", description="Rows of training that are equal, and so are their labels."
    )
    outliers: Outliers | None = Field(default=None, description="Rows far from the others.")
    labelErrors: LabelErrors | None = Field(default=None, description="Labels that seem wrong.")
