"""The training's state on the disk, from which a restart goes on at the exact step.

The chief alone writes and reads it, as one file that says itself whether it is whole.
TensorFlow's own checkpoints need all workers to take part in every save, and leave a state in
several files.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

from trainyard_trainer.errors import Diverged, ForeignCheckpoint
from trainyard_trainer.store import Folder
from trainyard_trainer.training.checkpoints.encoding import Damaged, decode, decode_archive, pieces
from trainyard_trainer.training.checkpoints.snapshot import Snapshot, difference, not_finite

_log = logging.getLogger(__name__)
_NAME: Final = re.compile(r"^step-(\d+)\.(checkpoint|npz)$")
_ARCHIVE: Final = ".npz"
"""Of checkpoints that earlier versions wrote."""


def save(folder: Folder, snapshot: Snapshot, keep: int) -> None:
    """Write a checkpoint, and delete all but the newest `keep`.

    Raises:
        StoreUnavailable: the disk refuses.
        Diverged: a variable is no finite number; the checkpoints that are there stay.
    """
    if name := not_finite(snapshot):
        raise Diverged(
            f"after step {snapshot.step} {name} is no finite number, and is not saved; try a "
            "smaller spec.training.optimizer.learningRate, or "
            "spec.data.preprocessing.scaling: standard"
        )
    content = pieces(snapshot)

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.writelines(content)

    folder.part(f"step-{snapshot.step:010d}.checkpoint").publish(write)
    for old in _newest_first(folder)[keep:]:
        folder.remove(old)


def load(folder: Folder, like: Snapshot) -> Snapshot | None:
    """The newest checkpoint that is whole and finite; None where there is none.

    Args:
        like: has the names, types and shapes that the variables of this training have.

    Raises:
        StoreUnavailable: the disk refuses.
        ForeignCheckpoint: it is of another model.
    """
    for name in _newest_first(folder):
        content = folder.part(name).read() or b""
        try:
            snapshot = decode_archive(content) if name.endswith(_ARCHIVE) else decode(content)
        except Damaged as error:
            _log.warning("checkpoint %s is damaged (%s); trying the one before", name, error)
            continue
        if other := difference(snapshot, like):
            raise ForeignCheckpoint(
                f"{folder.name}/{name} is of another model: {other}. It is left as it is, and "
                "nothing is trained over it: let no two jobs share spec.storage.uri's folder of a "
                "run, or set the annotation trainyard.dev/retrain to train anew in another one"
            )
        if variable := not_finite(snapshot):
            _log.warning(
                "in checkpoint %s %s is no finite number; trying the one before", name, variable
            )
            continue
        return snapshot
    return None


def _newest_first(folder: Folder) -> list[str]:
    return sorted((n for n in folder.names() if _NAME.match(n)), key=_step, reverse=True)


def _step(name: str) -> int:
    return int(name.removeprefix("step-").partition(".")[0])
