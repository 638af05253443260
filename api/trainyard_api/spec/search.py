"""`spec.search`: choosing hyperparameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.spec.evaluation import MetricName
from trainyard_api.spec.shared import NonNegativeInt, PositiveInt, Seed


class Objective(Document):
    """What the search is after."""

    metric: MetricName = Field(default="accuracy", description="The metric.")
    goal: Literal["maximize", "minimize"] = Field(default="maximize", description="Its direction.")


class CrossValidation(Document):
    """Judge each trial by the mean over folds."""

    folds: Annotated[int, Field(ge=2, le=20)] = Field(default=3, description="How many folds.")


class TrialStopping(Document):
    """When a trial is given up."""

    method: Literal["median"] = Field(
        default="median", description="Worse than the median of the others at the same epoch."
    )
    minimumTrials: PositiveInt = Field(default=3, description="Finished trials it needs first.")
    startEpoch: NonNegativeInt = Field(default=2, description="Epochs that each trial may have.")


class DoubleRange(Document):
    """A range of real numbers."""

    minimum: float = Field(description="Smallest value.")
    maximum: float = Field(description="Largest value.")
    scale: Literal["linear", "log"] = Field(default="linear", description="How it is sampled.")


class IntegerRange(Document):
    """A range of whole numbers."""

    minimum: int = Field(description="Smallest value.")
    maximum: int = Field(description="Largest value.")
    step: PositiveInt = Field(default=1, description="Distance of two values.")


class Parameter(Document):
    """One field of the spec that is searched."""

    path: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="The field below spec, for example training.optimizer.learningRate."
    )
    double: DoubleRange | None = Field(default=None, description="A range of real numbers.")
    integer: IntegerRange | None = Field(default=None, description="A range of whole numbers.")
    choices: Annotated[list[bool | int | float | str], Field(max_length=256)] | None = Field(
        default=None, description="The values themselves."
    )


class Search(Document):
    """Trials with other hyperparameters, the best of which the run takes."""

    algorithm: Literal["grid", "random", "tpe"] = Field(
        default="tpe", description="How parameters are proposed."
    )
    objective: Objective = Field(default=Objective(), description="What the search is after.")
    maxTrials: PositiveInt = Field(default=12, description="How many trials run in all.")
    parallelTrials: PositiveInt = Field(default=2, description="How many run side by side.")
    maxFailedTrials: NonNegativeInt = Field(
        default=3, description="Failed trials after which the search fails."
    )
    crossValidation: CrossValidation | None = Field(
        default=None, description="Judge each trial by the mean over folds."
    )
    earlyStopping: TrialStopping | None = Field(
        default=None, description="When a trial is given up."
    )
    parameters: Annotated[list[Parameter], Field(min_length=1, max_length=64)] = Field(
        description="The fields that are searched."
    )
    seed: Seed = Field(default=0, description="Seed of the proposals.")
