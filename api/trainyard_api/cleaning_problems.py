"""What no schema sees of `spec.data.cleaning`."""

from __future__ import annotations

from collections.abc import Iterator

from trainyard_api.problem import Problem
from trainyard_api.spec import Cleaning


def find_cleaning_problems(cleaning: Cleaning) -> Iterator[Problem]:
    """What a spec asks of cleaning that does not go together."""
    missing, outliers = cleaning.missing, cleaning.outliers
    if missing.strategy == "constant" and missing.fill is None:
        yield Problem("spec.data.cleaning.missing.fill", "is required by strategy constant")
    if outliers is None or outliers.method != "isolation_forest":
        return
    if outliers.action == "clip":
        yield Problem(
            "spec.data.cleaning.outliers.action",
            "is clip, and isolation_forest finds rows, not values: set it to drop",
        )
    if outliers.threshold is not None and outliers.threshold >= 1.0:
        yield Problem(
            "spec.data.cleaning.outliers.threshold",
            f"is {outliers.threshold:g}, and the scores of isolation_forest lie between 0 and 1: "
            "set it to 0.6, or leave it out",
        )
