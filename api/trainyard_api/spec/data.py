"""`spec.data`: where the examples come from and what is done to them."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from trainyard_api.model import Document, rule, rules
from trainyard_api.spec.cleaning import Cleaning
from trainyard_api.spec.shared import (
    Fraction,
    JsonObject,
    NonNegativeInt,
    PositiveInt,
    SecretReference,
    Seed,
)

Resize: TypeAlias = Literal["stretch", "crop", "pad"]
ColumnName: TypeAlias = Annotated[str, Field(min_length=1, max_length=253)]
NO_DATA: Final = "none://"
"""The address of data that a program of one's own brings, and that nobody else reads."""


class Source(Document):
    """Where the examples are read from."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            pattern=r"^((file|pvc|s3|gs|az|https|keras|sklearn)://.+|none://)$",
        ),
    ] = Field(
        description=(
            "Where the data is: file:///PATH, pvc://CLAIM/PATH, s3://, gs://, az://, https://, "
            "keras://NAME (a data set of Keras) or sklearn://NAME (one of scikit-learn); none:// "
            "where workers.command brings its own."
        )
    )
    format: Literal["auto", "idx", "npz", "csv", "parquet", "images", "tfrecord", "text"] = Field(
        default="auto",
        description="How the files are read; auto decides by their names.",
    )
    label: ColumnName | Annotated[list[ColumnName], Field(min_length=1, max_length=256)] | None = (
        Field(
            default=None,
            description="The column of csv and parquet that holds the label; or a list of columns, "
            "which hold 0 and 1 for a label each, or a number each.",
        )
    )
    features: Annotated[list[str], Field(max_length=4096)] | None = Field(
        default=None,
        description="The columns of csv and parquet to learn from; by default all but the label.",
    )
    columns: Annotated[
        dict[ColumnName, Literal["number", "boolean", "category", "text", "time"]],
        Field(max_length=4096),
    ] = Field(
        default={},
        description="What columns of csv and parquet hold, where their values tell it wrongly.",
    )
    secretRef: SecretReference | None = Field(
        default=None, description="Secret with the credentials of the store, for the pods alone."
    )
    streaming: Literal["auto", "always", "never"] = Field(
        default="auto",
        description=(
            "Where a worker keeps the rows: in memory (never), on its own disk (always), or on the "
            "disk where they take more than a quarter of its memory (auto)."
        ),
    )
    maxBadRows: NonNegativeInt = Field(
        default=0,
        description="How many rows or pictures that cannot be read are left out, and counted; one "
        "more ends the job, with their names.",
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that hold labels."""
        if self.label is None:
            return ()
        return (self.label,) if isinstance(self.label, str) else tuple(self.label)


class Split(Document):
    """How the source's examples are divided, for the parts that it does not bring itself."""

    model_config = rules(
        rule(
            "self.validation + self.test < 1.0",
            "validation and test together must leave something to train on: "
            "make their sum smaller than 1",
        ),
        rule(
            "!(has(self.groups) && has(self.time))",
            "rows are divided by groups or by time; leave one of them out",
        ),
    )

    validation: Fraction = Field(default=0.1, description="Share of the validation part.")
    test: Fraction = Field(default=0.1, description="Share of the test part.")
    seed: Seed = Field(default=0, description="Seed of the division.")
    stratify: bool = Field(default=True, description="Keep the classes' shares equal in all parts.")
    groups: ColumnName | None = Field(
        default=None,
        description="The column of csv and parquet that names groups: rows of one group never lie "
        "in two parts. It is not learned from.",
    )
    time: ColumnName | None = Field(
        default=None,
        description="The column of csv and parquet that holds each row's time: validation and test "
        "come after training. It is not learned from, unless features name it.",
    )


class TextPreprocessing(Document):
    """How texts become numbers of words."""

    vocabulary: Annotated[int, Field(ge=2, le=1_000_000)] = Field(
        default=10_000,
        description="How many different words are told apart, the most frequent of the training "
        "part; all others are one word, which counts as well.",
    )
    length: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="How many words of a text are read, from its beginning."
    )


class ImagePreprocessing(Document):
    """How pictures of different sizes and kinds become alike."""

    height: Annotated[int, Field(ge=1, le=8192)] | None = Field(
        default=None,
        description="In pixels; by default that of the pictures where they are alike, else their "
        "median, at most 224.",
    )
    width: Annotated[int, Field(ge=1, le=8192)] | None = Field(
        default=None, description="In pixels; by default found as the height is."
    )
    color: Literal["auto", "grey", "rgb"] = Field(
        default="auto",
        description="One channel or three; auto: one where all pictures are grey, else three.",
    )
    resize: Resize = Field(
        default="stretch",
        description="How a picture of other proportions is fitted in: stretched, its middle cut "
        "out, or black bars put around it.",
    )


class Preprocessing(Document):
    """What the exported model does to its raw input before its first layer."""

    scaling: Literal["none", "standard", "minmax", "rescale"] = Field(
        default="standard",
        description=(
            "none; standard: zero mean and unit variance; minmax: into [0, 1]; rescale: divided "
            "by 255 (pictures). Fitted on the training part alone and exported inside the model."
        ),
    )

    channels: Literal["auto", "first", "last"] = Field(
        default="auto",
        description=(
            "Where pictures have their channels: last (height, width, channels) or first; auto "
            "tells it by the sizes. The model turns them itself and takes rows as the data has "
            "them."
        ),
    )
    text: TextPreprocessing = Field(
        default=TextPreprocessing(), description="How texts become numbers of words."
    )
    image: ImagePreprocessing = Field(
        default=ImagePreprocessing(), description="How picture files become alike."
    )


class AugmentationLayer(Document):
    """A way to change rows, named after a Keras layer."""

    layer: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        description="Name of the Keras layer, for example RandomFlip; MixUp, CutMix and "
        "GaussianNoise are there as well."
    )
    arguments: JsonObject = Field(
        default={},
        description="Its arguments, but for seed and data_format, which follow from others.",
    )


class Generation(Document):
    """New training rows for rare classes."""

    method: Literal["smote", "vae"] = Field(description="How the rows are made.")
    ratio: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Size of a rare class afterwards, relative to the largest."
    )


class Fold(Document):
    """One fold of a cross-validation."""

    model_config = rules(
        rule("self.index < self.of", "folds are numbered from 0: make index smaller than of"),
        rule("self.of >= 2", "a cross-validation has two folds or more: make of at least 2"),
    )

    index: NonNegativeInt = Field(description="The fold that validates, from 0.")
    of: PositiveInt = Field(description="How many folds there are.")


class Window(Document):
    """Rows of a table as steps of a series: the model sees some that follow each other, and tells
    the label of a later one.
    """

    length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="How many steps the model sees, with all feature columns. The label's own past "
        "is one of them, unless source.features leaves it out."
    )
    horizon: PositiveInt = Field(
        default=1,
        description="How many steps after the last one that it sees the label is; 1: in the next.",
    )
    stride: PositiveInt = Field(
        default=1, description="How many steps lie between the beginnings of two windows."
    )
    series: ColumnName | None = Field(
        default=None,
        description="The column that tells several series apart; no window reaches from one into "
        "another. It is not learned from, unless features name it. Without it, there is one.",
    )


class Data(Document):
    """What to learn from."""

    @classmethod
    def brought(cls) -> Data:
        """That of a program of one's own which says nothing of its data."""
        return cls(source=Source(uri=NO_DATA))

    source: Source = Field(description="Where the examples are read from.")
    task: Literal["classification", "multi_label", "regression", "reconstruction"] | None = Field(
        default=None,
        description="What is learned: a class of each row, several labels of each row, numbers, or "
        "the row itself. By default decided by the label; architecture vae learns the row itself.",
    )
    split: Split = Field(
        default=Split(),
        description="How examples are divided, for parts that the source does not bring itself.",
    )
    window: Window | None = Field(
        default=None,
        description="For csv and parquet whose rows are steps of a series, in the order of the "
        "table or of split.time: forecasts. The last steps are validation and test.",
    )
    cleaning: Cleaning | None = Field(default=None, description="What is mended before training.")
    preprocessing: Preprocessing = Field(
        default=Preprocessing(), description="What the model does to its raw input."
    )
    augmentation: Annotated[list[AugmentationLayer], Field(max_length=32)] = Field(
        default=[],
        description="Keras layers that change the rows of the training part anew in every step, "
        "one after the other.",
    )
    generation: Generation | None = Field(
        default=None, description="New training rows for rare classes."
    )
    fold: Fold | None = Field(default=None, description="Set by a search for cross-validation.")
