"""The names of metrics that a spec may ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trainyard_trainer.errors import InvalidSpec


def check_names(names: Sequence[str], known: Collection[str], task: str) -> None:
    """Make sure that every metric can be computed.

    Args:
        known: those that can.
        task: what they are metrics of, for people.

    Raises:
        InvalidSpec: one cannot.
    """
    for name in names:
        if name not in known:
            raise InvalidSpec(
                f"spec.evaluation.metrics: {name} is no metric of {task}; use one of: "
                + ", ".join(known)
            )
