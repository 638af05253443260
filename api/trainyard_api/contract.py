"""contract.json, which lies beside every model: what it takes and what it gives.

The model takes numbers alone, a row of fixed length. What a caller has are named columns of
numbers, texts and times. `trainyard_api.encoding` turns the one into the other by this document.
A newer trainer may say more than a reader knows, who passes over it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from trainyard_api.model import OpenDocument

Answers: TypeAlias = Literal["reconstruction", "encoder", "decoder", "anomaly_score"]
ColumnKind: TypeAlias = Literal["number", "boolean", "category", "text", "time"]


class Range(OpenDocument):
    """What a column held in training, before any shift; times are seconds since 1970."""

    lowest: float = Field(description="The smallest value.")
    highest: float = Field(description="The largest value.")


class Distribution(OpenDocument):
    """How often values occurred, so that others can be compared with them (PSI, for example)."""

    edges: list[float] = Field(
        default=[],
        description="Of numbers: ascending; share i is of those below edge i and not below the one "
        "before, the last share of all others. Times and shifted numbers as they come, unshifted.",
    )
    shares: list[float] = Field(
        description="From 0 to 1. Without edges: of the codes 0, 1, 2 and so on (categories, truth "
        "values, classes); the last one that is kept is of all codes beyond."
    )
    missing: float = Field(default=0.0, description="Share of rows in which nothing was.")


class ColumnContract(OpenDocument):
    """A column of a table, and how its cells become numbers."""

    name: str = Field(description="As the table has it.")
    kind: ColumnKind = Field(description="What its cells are.")
    first: int = Field(default=0, description="Its first place in the encoded row, or step.")
    width: int = Field(default=1, description="How many places it has: words kept of a text.")
    shift: float = Field(
        default=0.0, description="Taken off numbers and times in double precision."
    )
    fill: float | None = Field(
        default=None,
        description="What the model puts in for a missing number, after the shift; null: none may "
        "be missing.",
    )
    vocabulary: list[str] = Field(
        default=[],
        description="Of categories: entry i is encoded as i + 1, any other as 0. Of texts, whose "
        "first entry stands for all unknown words: entry i as i + 1, and 0 is no word.",
    )
    range: Range | None = Field(default=None, description="Of numbers and times, in training.")
    baseline: Distribution | None = Field(
        default=None, description="Of its values in training; none of texts."
    )


class InputContract(OpenDocument):
    """The rows that a model takes."""

    name: str = Field(description="Of the model's input.")
    shape: list[int] = Field(description="Of one encoded row.")
    columns: list[ColumnContract] = Field(
        default=[], description="Of a table, in their order; none for arrays and pictures."
    )
    steps: int | None = Field(
        default=None,
        description="A row is a window: so many steps of the columns, the oldest first. null: it "
        "is none.",
    )
    shift: list[float] = Field(
        default=[], description="Of an array: taken off its last axis in double precision."
    )
    baseline: list[Distribution] = Field(
        default=[],
        description="In training: of an array's columns, in their order (those of the widest are "
        "left out); of pictures one, of the mean of all pixels.",
    )
    resize: Literal["stretch", "crop", "pad"] | None = Field(
        default=None,
        description="Rows are decoded pictures, as high and wide as shape says: how one of another "
        "size is fitted in. null: they are not.",
    )


class OutputContract(OpenDocument):
    """What a model gives for a row."""

    name: str = Field(description="Of the model's output.")
    task: Literal["classification", "multi_label", "regression", "reconstruction"] = Field(
        description="What it has learned."
    )
    names: list[str] = Field(
        description="Of the classes, of the labels, or of the numbers, in their order; none where "
        "rows are rebuilt."
    )
    horizon: int | None = Field(
        default=None,
        description="Of windows: how many steps after the last one of a row the answer is.",
    )
    threshold: float | None = Field(
        default=None,
        description="Of several labels: what a probability has to reach for a row to have the "
        "label. Of an anomaly score: a row whose score is larger is an anomaly. null: none.",
    )
    answers: Answers | None = Field(
        default=None,
        description="Where rows are rebuilt, what the model answers. Rebuilt numbers come as the "
        "model scales them, categories as probabilities of their codes, numbers first.",
    )
    baseline: list[Distribution] = Field(
        default=[],
        description="On the test part: one of the predicted classes, or one of each number; "
        "none of more than 256 numbers.",
    )


class Contract(OpenDocument):
    """A model's contract."""

    version: Literal[1] = Field(default=1, description="Of this document's form.")
    input: InputContract = Field(description="The rows that it takes.")
    output: OutputContract = Field(description="What it gives for each.")
