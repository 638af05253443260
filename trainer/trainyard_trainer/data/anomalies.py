"""Which rows are anomalies, where a model learns the rows themselves.

It learns what is normal: rows of anomalies are left out of what trains and of what chooses, and
stay in the test part, where they show how well they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import ANOMALY, NORMAL, Rebuilding, Target
from trainyard_trainer.errors import InvalidData

_TWO: Final = 2


def rebuilding(
    labels: NDArray[Any], called: Sequence[str] | None = None
) -> tuple[Rebuilding, NDArray[np.int64], str]:
    """What labels say of anomalies: of two different ones, the rarer; of others, nothing.

    Args:
        labels: of each row, (rows,), or rows of numbers, which say nothing.
        called: names of the labels 0, 1 and so on; None: they have none but themselves.

    Returns:
        The target, 1 for each anomaly, and a sentence for people.
    """
    nothing = np.full(len(labels), NORMAL, np.int64)
    if labels.ndim != 1:
        return Rebuilding(), nothing, "the rows themselves are learned; the labels are not used"
    found, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(found) == 1:
        return Rebuilding(), nothing, "the rows themselves are learned"
    if len(found) != _TWO:
        why = f"the rows themselves are learned; the labels ({len(found)} values) are not used"
        return Rebuilding(), nothing, why
    rarer = int(counts[1] <= counts[0])
    told = [shown(each) if called is None else called[each] for each in found.tolist()]
    names = (told[1 - rarer], told[rarer])
    flags = np.where(codes == rarer, ANOMALY, NORMAL).astype(np.int64)
    why = (
        f"the rows themselves are learned; those of the label {names[ANOMALY]}, which is the rarer "
        "of two, are anomalies, and not learned from"
    )
    return Rebuilding(names), flags, why


def check_told(field: str, where: str, target: Target, different: int) -> None:
    """Make sure that a column which was named for anomalies tells them.

    Args:
        different: values of the column.

    Raises:
        InvalidData: it does not.
    """
    if isinstance(target, Rebuilding) and different > _TWO:
        raise InvalidData(
            f"{field}: {where}: the column has {different} different values; in a reconstruction "
            "it tells anomalies from all other rows by two: name another column, or leave the "
            "field out"
        )


def learned_from(target: Target, targets: Targets) -> NDArray[np.int64] | None:
    """Places of the rows that may be learned from; None: all."""
    if not isinstance(target, Rebuilding) or not target.names:
        return None
    return np.flatnonzero(targets == NORMAL)


def shown(label: Any) -> str:
    """A label as people write it."""
    if isinstance(label, (bool, np.bool_)):
        return "true" if label else "false"
    return str(label)
