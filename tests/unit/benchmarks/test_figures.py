"""Percentiles, by hand."""

import math

import pytest

from benchmarks.controlplane.figures import buckets, gained, percentile, percentiles_ms, quantile

EXPOSITION = """
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{kind="a",le="0.1"} 1.0
wait_seconds_bucket{kind="a",le="+Inf"} 2.0
wait_seconds_count{kind="a"} 2.0
wait_seconds_sum{kind="a"} 0.5
wait_seconds_bucket{kind="b",le="0.1"} 3.0
wait_seconds_bucket{kind="b",le="+Inf"} 3.0
wait_seconds_count{kind="b"} 3.0
wait_seconds_sum{kind="b"} 0.1
"""


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


def test_percentiles_are_milliseconds() -> None:
    assert percentiles_ms([0.25]) == {"p50": 250.0, "p95": 250.0, "p99": 250.0}


def test_a_histograms_labels_are_taken_together() -> None:
    assert buckets(EXPOSITION, "wait_seconds") == {0.1: 4.0, math.inf: 5.0}
    assert buckets(EXPOSITION, "other_seconds") == {}


def test_only_what_came_since_counts() -> None:
    assert gained({0.1: 4.0, math.inf: 5.0}, {0.1: 4.0, math.inf: 7.0}) == {0.1: 0.0, math.inf: 2.0}
    assert gained({}, {0.1: 1.0}) == {0.1: 1.0}


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.25, 0.05), (0.5, 0.1), (0.7, 0.3), (0.9, 0.5), (0.95, 0.5)],
)
def test_a_quantile_is_interpolated_in_its_bucket(share: float, expected: float) -> None:
    histogram = {0.1: 50.0, 0.5: 90.0, math.inf: 100.0}
    assert quantile(histogram, share) == pytest.approx(expected)


def test_no_samples_have_no_quantile() -> None:
    assert quantile({}, 0.95) is None
    assert quantile({0.1: 0.0, math.inf: 0.0}, 0.95) is None
