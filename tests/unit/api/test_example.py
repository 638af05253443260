"""The row that a caller may send to try a model."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trainyard_api.contract import ColumnContract, Range
from trainyard_api.encoding import Encoder
from trainyard_api.example import example_row


def cell(kind: Any, **told: Any) -> Any:
    column = ColumnContract(name="x", kind=kind, **told)
    Encoder([column]).encode(example_row([column]))
    return example_row([column])["x"]


def within(lowest: float, highest: float) -> Range:
    return Range(lowest=lowest, highest=highest)


@pytest.mark.parametrize(
    ("lowest", "highest", "wanted"),
    [
        (18.0, 81.0, 50),
        (0.25, 0.5, 0.375),
        (0.0, 2 / 3, 0.3333),
        (3.0, 3.0, 3),
        (1.000001, 1.000002, 1.0000015),
        (-1e308, 1e308, 0),
    ],
)
def test_a_number_is_the_middle_of_what_it_held(
    lowest: float, highest: float, wanted: float
) -> None:
    assert cell("number", range=within(lowest, highest)) == pytest.approx(wanted, rel=1e-9)


def test_a_whole_number_shows_as_one() -> None:
    assert repr(cell("number", range=within(1.0, 4.0))) == "2"


def test_a_category_is_one_that_training_knew() -> None:
    assert cell("category", vocabulary=["Lyon", "Oslo"]) == "Lyon"
    assert cell("category") is None


def test_a_text_is_of_the_words_that_training_met_most() -> None:
    assert cell("text", width=9, vocabulary=["", "the", "train", "was"]) == "the train was"
    assert cell("text", width=1, vocabulary=["", "the", "train"]) == "the"


def test_a_truth_value_is_true() -> None:
    assert cell("boolean") is True


@pytest.mark.parametrize(
    ("lowest", "highest", "wanted"),
    [
        (0.0, 86_400.0 * 10, "1970-01-06"),
        (3_600.0, 7_200.0, "1970-01-01T01:30:00Z"),
        (1e15, 1e15, 1e15),
    ],
)
def test_a_time_is_a_date_where_that_is_enough(
    lowest: float, highest: float, wanted: object
) -> None:
    assert cell("time", range=within(lowest, highest)) == wanted


def test_a_column_that_held_nothing_has_a_cell_as_well() -> None:
    assert math.isfinite(cell("number"))
    assert cell("time") == "2000-01-01"
