"""What does not go with `spec.data.window`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainyard_api.problem import Problem
from trainyard_api.spec import Data

_FORMATS: Final = ("auto", "csv", "parquet")


def find_window_problems(data: Data) -> Iterator[Problem]:
    """What a spec asks for that windows of series cannot have."""
    if data.window is None:
        return
    if data.source.format not in _FORMATS:
        yield Problem(
            "spec.data.window",
            f"takes the rows of a table for steps, and the format is {data.source.format}; bring "
            "csv or parquet, or leave it out",
        )
    if data.task == "reconstruction":
        yield Problem(
            "spec.data.window",
            "tells a step that comes later, and the task is to rebuild rows; leave one of them out",
        )
    yield from _of_dividing(data)
    yield from _of_changed_rows(data)


def _of_dividing(data: Data) -> Iterator[Problem]:
    assert data.window is not None
    if data.split.groups is not None:
        yield Problem(
            "spec.data.split.groups",
            "windows are divided by time; leave it out, and name the column that tells series "
            "apart in spec.data.window.series",
        )
    if data.window.series is not None and data.window.series == data.split.time:
        yield Problem(
            "spec.data.window.series",
            f"is {data.window.series}, which spec.data.split.time has for the steps' times; name "
            "another column, or leave it out where there is one series",
        )


def _of_changed_rows(data: Data) -> Iterator[Problem]:
    """Steps overlap from window to window: what changes a row alone would tear them apart."""
    if data.augmentation:
        yield Problem("spec.data.augmentation", "has no layers for windows; leave it out")
    if data.generation is not None:
        yield Problem("spec.data.generation", "makes no windows; leave it out")
    if data.cleaning is None:
        return
    if data.cleaning.outliers is not None:
        yield Problem(
            "spec.data.cleaning.outliers",
            "looks at rows one by one, and windows share their steps; leave it out",
        )
    if data.cleaning.labelErrors is not None:
        yield Problem(
            "spec.data.cleaning.labelErrors",
            "judges a row by others, and windows share their steps; leave it out",
        )
