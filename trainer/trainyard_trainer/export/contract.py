"""The contract of a trained model: what its rows are to whoever asks it."""

from __future__ import annotations

from typing import Any, cast

from numpy.typing import NDArray

from trainyard_api.contract import (
    Answers,
    ColumnContract,
    Contract,
    InputContract,
    OutputContract,
    Range,
)
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Rebuilding
from trainyard_trainer.export import baseline
from trainyard_trainer.models.building import INPUT_NAME


def contract_of(
    schema: Schema,
    output: str,
    learned: NDArray[Any],
    answers: NDArray[Any],
    threshold: float | None = None,
) -> Contract:
    """The contract of a model of these rows.

    Args:
        output: name of the model's output.
        learned: what it takes of the training part, for what inputs are like: (rows, *row).
        answers: to the test part, for what answers are like: (rows, outputs).
        threshold: what answers are compared with.
    """
    rebuilds = isinstance(schema.target, Rebuilding)
    return Contract(
        input=InputContract(
            name=INPUT_NAME,
            shape=list(schema.shape),
            columns=[_column(column, learned) for column in schema.columns],
            steps=schema.steps,
            shift=list(schema.shift),
            baseline=baseline.of_rows(schema, learned),
            resize=schema.resize,
        ),
        output=OutputContract(
            name=output,
            task=schema.target.task,
            names=[] if rebuilds else list(schema.target.names),
            horizon=schema.horizon,
            threshold=threshold,
            answers=cast(Answers, output) if rebuilds else None,
            baseline=baseline.of_answers(schema.target, answers),
        ),
    )


def _column(column: Column, learned: NDArray[Any]) -> ColumnContract:
    spread = column.spread
    return ColumnContract(
        name=column.name,
        kind=column.kind,
        first=column.first,
        width=column.width,
        shift=column.shift,
        fill=column.fill,
        vocabulary=list(column.vocabulary),
        range=None
        if spread is None
        else Range(lowest=spread.lowest + column.shift, highest=spread.highest + column.shift),
        baseline=baseline.of_column(column, learned),
    )
