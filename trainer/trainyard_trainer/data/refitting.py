"""What is known of the training part's columns, learned anew where its rows became others."""

from __future__ import annotations

from dataclasses import replace

from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.moments import Moments, moments, moments_of
from trainyard_trainer.data.schema import Column, Spread


def refitted(dataset: Dataset) -> Dataset:
    """The data set with the means and spreads of the rows that train.

    Vocabularies, and what stands for missing values, stay: they were told before cleaning.
    """
    schema = dataset.schema
    if not schema.columns:
        if dataset.moments is None:
            return dataset
        return replace(dataset, moments=moments(dataset.train, schema.channels_first))
    spread = [column for column in schema.columns if column.spread is not None]
    if not spread:
        return dataset
    places = [column.first for column in spread]
    found = moments_of(lambda: (rows.features[..., places] for rows in dataset.train.pieces()))
    renewed = {column.name: _renewed(column, found, at) for at, column in enumerate(spread)}
    columns = tuple(renewed.get(column.name, column) for column in schema.columns)
    return replace(dataset, schema=replace(schema, columns=columns))


def _renewed(column: Column, found: Moments, at: int) -> Column:
    mean, deviation, lowest, highest = (
        float(each[at]) for each in (found.mean, found.spread, found.lowest, found.highest)
    )
    return replace(column, spread=Spread(mean, deviation, lowest, highest))
