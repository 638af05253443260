"""Dividing examples, for the parts that a source does not bring itself."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split

from trainyard_api.spec import Split
from trainyard_trainer.data.dataset import Part
from trainyard_trainer.errors import InvalidData

_FIELD = "spec.data.split"


def divide(part: Part, split: Split, test: Part | None) -> tuple[Part, Part, Part]:
    """Train, validation and test parts.

    `split.validation` and `split.test` are shares of `part`; a test part that the source brought
    stays as it is, and `split.test` is then not used.

    Raises:
        InvalidData: a part would have no rows, or too few to keep the classes' shares.
    """
    rest, testing = part, test
    share = split.validation
    if testing is None:
        if split.test == 0.0:
            raise InvalidData(
                f"{_FIELD}.test: is 0, and the source has no test part; every model is "
                "evaluated: set it to 0.1"
            )
        rest, testing = _cut(part, split.test, split, "test")
        share = split.validation / (1.0 - split.test)
    if share == 0.0:
        return rest, part.take(np.empty(0, np.int64)), testing
    train, validation = _cut(rest, share, split, "validation")
    return train, validation, testing


def _cut(part: Part, share: float, split: Split, name: str) -> tuple[Part, Part]:
    rows = np.arange(len(part), dtype=np.int64)
    try:
        kept, cut = train_test_split(
            rows,
            test_size=share,
            random_state=split.seed,
            stratify=part.labels if split.stratify else None,
        )
    except ValueError as error:
        cure = ", or set stratify: false" if split.stratify else ""
        raise InvalidData(
            f"{_FIELD}.{name}: {len(part)} rows cannot be divided so ({error}); "
            f"change the share{cure}"
        ) from error
    return part.take(kept), part.take(cut)
