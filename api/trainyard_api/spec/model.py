"""`spec.model`: the architecture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document, rule, rules
from trainyard_api.spec.code import ENTRY_POINT
from trainyard_api.spec.shared import JsonObject, PositiveInt

Units = Annotated[list[Annotated[int, Field(ge=1, le=65536)]], Field(max_length=64)]


class Dense(Document):
    """Fully connected layers."""

    units: Units = Field(default=[128], description="Width of each hidden layer.")


class Cnn(Document):
    """Blocks of convolution and pooling, then fully connected layers."""

    filters: Annotated[Units, Field(min_length=1)] = Field(
        default=[32, 64], description="Filters of each convolution block."
    )
    kernelSize: Annotated[int, Field(ge=1, le=31)] = Field(
        default=3, description="Height and width of a kernel, in pixels."
    )
    pooling: Literal["max", "average", "none"] = Field(
        default="max", description="Pooling (2x2) that ends each block."
    )
    residual: bool = Field(
        default=False,
        description="Two convolutions a block, and a way around them (ResNet's basic block).",
    )
    globalPooling: bool = Field(
        default=False,
        description="Take the mean of each filter after the blocks, instead of all its places.",
    )
    units: Units = Field(default=[64], description="Width of each layer after the blocks.")


class Rnn(Document):
    """Recurrent layers over a series: the words of a text, the rows of a picture, the steps of an
    array.
    """

    cell: Literal["lstm", "gru", "simple"] = Field(default="lstm", description="Kind of cell.")
    units: Annotated[Units, Field(min_length=1)] = Field(
        default=[64], description="Width of each recurrent layer."
    )
    bidirectional: bool = Field(
        default=False, description="Read the series both ways; each way has the width of units."
    )
    embedding: PositiveInt | None = Field(
        default=None,
        description="How many numbers stand for a word; by default decided by how many words "
        "there are.",
    )
    denseUnits: Units = Field(
        default=[],
        description="Width of each fully connected layer behind the recurrent ones, which takes "
        "the table's other columns as well.",
    )


class Vae(Document):
    """A variational autoencoder, which learns the rows themselves."""

    latentDimensions: PositiveInt = Field(default=8, description="Size of the latent vector.")
    units: Units = Field(default=[256], description="Width of each layer of the encoder.")
    beta: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="Weight of the KL divergence."
    )


class Custom(Document):
    """A model of one's own."""

    entrypoint: Annotated[str, Field(pattern=ENTRY_POINT, max_length=253)] = Field(
        description='Function that returns a Keras model, as "package.module:build_model".'
    )
    arguments: JsonObject = Field(
        default={},
        description="Keyword arguments of the function, beside what it is told of the data where "
        "it has such arguments: input_shape, outputs, task, names.",
    )
    input: Literal["scaled", "encoded"] = Field(
        default="scaled",
        description="What its model takes: numbers alone, scaled, with categories and words as "
        "numbers (scaled), or rows as they are encoded, for models that scale and embed themselves "
        "(encoded).",
    )


class Regularization(Document):
    """What keeps the model from learning its examples by heart."""

    l1: Annotated[float, Field(ge=0)] = Field(default=0.0, description="L1 penalty on kernels.")
    l2: Annotated[float, Field(ge=0)] = Field(default=0.0, description="L2 penalty on kernels.")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Share of activations dropped after each hidden layer."
    )
    batchNormalization: bool = Field(
        default=False,
        description="Batch normalisation before each activation.",
    )
    synchronizedBatchNormalization: Literal["auto", "always", "never"] = Field(
        default="auto",
        description=(
            "Whether batch normalisation goes by the rows of all workers: always, so that any "
            "number of them learns the same; never, so that none waits for another in every layer; "
            "auto: where a worker or GPU has fewer than 32 rows of a batch."
        ),
    )


class Model(Document):
    """What learns."""

    model_config = rules(
        rule(
            "self.architecture != 'custom' || has(self.custom)",
            "architecture custom needs model.custom.entrypoint: "
            'the function that returns a Keras model, as "package.module:build_model"',
        )
    )

    architecture: Literal["dense", "cnn", "rnn", "vae", "custom"] = Field(
        description="The kind of model; the block of the same name has its details."
    )
    dense: Dense = Field(default_factory=Dense, description="Details of architecture dense.")
    cnn: Cnn = Field(default_factory=Cnn, description="Details of architecture cnn.")
    rnn: Rnn = Field(default_factory=Rnn, description="Details of architecture rnn.")
    vae: Vae = Field(default_factory=Vae, description="Details of architecture vae.")
    output: Literal["reconstruction", "encoder", "decoder", "anomaly_score"] | None = Field(
        default=None,
        description="Of task reconstruction, what the served model answers: the rebuilt row "
        "(reconstruction, the default), the latent numbers of a row (encoder), the row of latent "
        "numbers (decoder), or how badly a row is rebuilt (anomaly_score).",
    )
    custom: Custom | None = Field(default=None, description="Details of architecture custom.")
    activation: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        default="relu",
        description="Keras activation of the hidden layers; recurrent cells keep Keras' tanh.",
    )
    regularization: Regularization = Field(
        default=Regularization(), description="Penalties, dropout, batch normalisation."
    )
