"""The training's state on the disk, from which a restart goes on at the exact step.

The chief alone writes and reads it, as one NumPy archive of which zip's checksums tell whether
it is whole. TensorFlow's own checkpoints need all workers to take part in every save, and leave
a state in several files.
"""

from __future__ import annotations

import json
import logging
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.store import Folder, Part, guarded
from trainyard_trainer.training.stopping import Patience

_log = logging.getLogger(__name__)
_NAME: Final = re.compile(r"^step-(\d+)\.npz$")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Snapshot:
    """The state of a training.

    Attributes:
        step: steps done, over all attempts.
        closed: epochs whose end (validation, early stopping) has been dealt with.
        variables: of model and optimizer, in their order.
        best: the model's weights after the best epoch; empty without `restoreBest`.
    """

    step: int
    closed: int
    patience: Patience
    variables: Sequence[NDArray[Any]]
    best: Sequence[NDArray[Any]]


def save(folder: Folder, snapshot: Snapshot, keep: int) -> None:
    """Write a checkpoint, and delete all but the newest `keep`.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    arrays: dict[str, NDArray[Any]] = {f"variable-{i}": v for i, v in enumerate(snapshot.variables)}
    arrays |= {f"best-{i}": v for i, v in enumerate(snapshot.best)}
    arrays["about"] = _about(snapshot)

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    folder.part(f"step-{snapshot.step:010d}.npz").publish(write)
    for old in _newest_first(folder)[keep:]:
        folder.remove(old)


def _about(snapshot: Snapshot) -> NDArray[np.str_]:
    """All but the arrays, as JSON."""
    patience = snapshot.patience
    return np.array(
        json.dumps(
            {
                "step": snapshot.step,
                "closed": snapshot.closed,
                "variables": len(snapshot.variables),
                "weights": len(snapshot.best),
                "best": patience.best,
                "waited": patience.waited,
                "stopped": patience.stopped,
            }
        )
    )


def load(folder: Folder, like: Sequence[NDArray[Any]]) -> Snapshot | None:
    """The newest checkpoint that is whole and fits; None where there is none.

    Args:
        like: arrays of the shapes that the variables have.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    for name in _newest_first(folder):
        try:
            snapshot = _read(folder.part(name))
            _check_fits(snapshot, like)
        except _DAMAGE as error:
            _log.warning("checkpoint %s is damaged (%s); trying the one before", name, error)
        else:
            return snapshot
    return None


def _newest_first(folder: Folder) -> list[str]:
    return sorted((name for name in folder.names() if _NAME.match(name)), reverse=True)


def _read(checkpoint: Part) -> Snapshot:
    with (
        checkpoint.on_disk() as path,
        guarded(path, "read"),
        np.load(path, allow_pickle=False) as archive,
    ):
        about = json.loads(str(archive["about"]))
        return Snapshot(
            step=int(about["step"]),
            closed=int(about["closed"]),
            patience=Patience(about["best"], int(about["waited"]), bool(about["stopped"])),
            variables=[archive[f"variable-{i}"] for i in range(int(about["variables"]))],
            best=[archive[f"best-{i}"] for i in range(int(about["weights"]))],
        )


def _check_fits(snapshot: Snapshot, like: Sequence[NDArray[Any]]) -> None:
    found = [v.shape for v in snapshot.variables]
    expected = [v.shape for v in like]
    if found != expected:
        raise ValueError(f"it has {len(found)} variables of another model than this one's")
