"""`spec.training`: how the model learns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.spec.code import Callback
from trainyard_api.spec.shared import JsonObject, PositiveInt, Seed


class Optimizer(Document):
    """A Keras optimizer."""

    name: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        default="adam", description="Keras name of the optimizer: adam, adamw, sgd, rmsprop, ..."
    )
    learningRate: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        default=0.001,
        description="Learning rate, or the schedule's first one; auto finds it by a hundred steps "
        "before the training.",
    )
    arguments: JsonObject = Field(default={}, description="Further arguments of the optimizer.")


class Schedule(Document):
    """How the learning rate changes."""

    name: Literal[
        "constant",
        "cosine",
        "cosine_restarts",
        "exponential",
        "inverse_time",
        "one_cycle",
        "piecewise",
        "polynomial",
        "reduce_on_plateau",
    ] = Field(default="constant", description="The kind of schedule.")
    arguments: JsonObject = Field(default={}, description="Its arguments.")
    warmupSteps: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Steps in which the rate rises to the schedule's first one, which begins then.",
    )


class EarlyStopping(Document):
    """When to stop before the last epoch."""

    monitor: Annotated[str, Field(pattern=r"^val_[a-z0-9_]{1,59}$")] = Field(
        default="val_loss",
        description="What must improve: val_loss; of a classification val_accuracy; of several "
        "labels val_accuracy or val_binary_accuracy; of a regression val_mae or val_rmse; of a "
        "reconstruction val_reconstruction_error, and of architecture vae val_elbo. More is better "
        "of accuracies and the ELBO, less of losses and errors.",
    )
    patience: PositiveInt = Field(
        default=3, description="Epochs without improvement that are waited for."
    )
    minDelta: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="What is better by no more than this is no improvement."
    )
    startFromEpoch: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Epochs at the start that are not looked at."
    )
    restoreBest: bool = Field(
        default=True, description="Keep the weights of the best epoch, not of the last."
    )


class Checkpoint(Document):
    """How often the state is saved."""

    everySteps: PositiveInt = Field(default=200, description="Steps between two checkpoints.")
    keep: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2, description="How many checkpoints are kept."
    )


class Training(Document):
    """How the model learns."""

    epochs: PositiveInt = Field(default=5, description="Passes over the training part, at most.")
    batchSize: PositiveInt = Field(
        default=128, description="Examples of one step, over all workers together."
    )
    optimizer: Optimizer = Field(default=Optimizer(), description="The optimizer.")
    schedule: Schedule = Field(default=Schedule(), description="How the learning rate changes.")
    loss: Annotated[str, Field(max_length=253)] | None = Field(
        default=None,
        description='Keras name of the loss, or "package.module:function" of one\'s own; by '
        "default chosen by the task.",
    )
    lossArguments: JsonObject = Field(
        default={}, description="Further arguments of the loss, for example delta of huber."
    )
    labelSmoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="Share of the right label that is given to all labels alike, against "
        "overconfidence.",
    )
    classWeights: Literal["none", "balanced"] = Field(
        default="none", description="balanced: rare classes weigh more in the loss."
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        default="float32",
        description="Precision of the computation; mixed ones keep weights and the last layer in "
        "float32, and what is exported computes in float32.",
    )
    strictPrecision: bool = Field(
        default=False,
        description="Fail where the hardware does not compute in the precision; by default float32 "
        "is taken there, and told.",
    )
    earlyStopping: EarlyStopping | None = Field(
        default=None, description="When to stop before the last epoch; by default never."
    )
    callbacks: Annotated[list[Callback], Field(max_length=32)] = Field(
        default=[], description="Callbacks of one's own, called at the ends of epochs."
    )
    stepsPerExecution: Literal["auto"] | Annotated[int, Field(ge=1, le=10000)] = Field(
        default="auto", description="Steps inside one call of the graph."
    )
    jitCompile: Literal["auto", "always", "never"] = Field(
        default="auto",
        description=(
            "Whether XLA compiles the steps. auto tries it in a training of one worker and one "
            "device that has more than half a minute left, and keeps what is faster, unless steps "
            "draw random numbers (dropout, augmentation): XLA draws others from the same seed."
        ),
    )
    checkpoint: Checkpoint = Field(default=Checkpoint(), description="How often state is saved.")
    seed: Seed = Field(
        default=0, description="Seed of initial weights, order, dropout and augmentation."
    )
