"""Percentiles, of samples and of a histogram that the operator exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]
"""Of each upper bound (the last is infinity) the number of samples up to it."""


def percentile(samples: Sequence[float], share: float) -> float | None:
    """Returns the value that `share` of the samples do not exceed; None of no samples.

    Between two samples it is interpolated.

    >>> percentile([1.0, 2.0, 3.0], 0.75)
    2.5
    """
    if not samples:
        return None
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float | None]:
    """Returns p50, p95 and p99 in milliseconds."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: milliseconds(percentile(seconds, share)) for name, share in shares.items()}


def milliseconds(seconds: float | None) -> float | None:
    """Returns milliseconds, to a tenth."""
    return None if seconds is None else round(seconds * 1000, 1)


def buckets(exposition: str, histogram: str) -> dict[float, float]:
    """Reads a histogram from what /metrics says, all its labels taken together.

    Returns:
        Nothing where the histogram is absent.
    """
    found: dict[float, float] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples if family.name == histogram else ():
            if sample.name == f"{histogram}_bucket":
                bound = float(sample.labels["le"])
                found[bound] = found.get(bound, 0.0) + sample.value
    return found


def gained(before: Buckets, after: Buckets) -> dict[float, float]:
    """Returns the samples that came between two readings."""
    return {bound: number - before.get(bound, 0.0) for bound, number in after.items()}


def quantile(histogram: Buckets, share: float) -> float | None:
    """Returns the quantile of a histogram, interpolated in its bucket as Prometheus does.

    Beyond the last finite bound it is that bound; of no samples it is None.

    >>> quantile({1.0: 0, 2.0: 10, float("inf"): 10}, 0.5)
    1.5
    """
    bounds = sorted(histogram)
    if not bounds or histogram[bounds[-1]] <= 0:
        return None
    rank = share * histogram[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if histogram[bound] >= rank:
            if bound == float("inf"):
                return lower
            within = histogram[bound] - below
            return lower + (bound - lower) * ((rank - below) / within if within else 1.0)
        lower, below = bound, histogram[bound]
    return lower
