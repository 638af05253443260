"""A fit in a pod: it stops on SIGTERM, leaves checkpoints, and is watched."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from trainyard_trainer import termination
from trainyard_trainer.errors import Stalled, TrainerError
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.signals import StopRequest
from trainyard_trainer.store import Folder, Store
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.checkpoints.writing import Writer
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.fit.loop import Outside
from trainyard_trainer.training.fit.watchdog import Watchdog
from trainyard_trainer.training.gang import Gang

_log = logging.getLogger(__name__)

_LAST_WRITE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Attendant:
    """Attends to the fits of a stage, one after another.

    Attributes:
        store: None on workers that are not the chief: they need no access to it.
    """

    pod: Pod
    stop: StopRequest
    store: Store | None
    gang: Gang
    _beside: set[str] = field(default_factory=set)

    def fit(self, fitting: Fitting, tracker: Tracker, name: str | None = None) -> Fitted:
        """Fit a model, until its end or a vote to stop.

        Args:
            name: of a fit beside the stage's own, whose checkpoints are apart.

        Raises:
            TrainerError: see `fit`.
        """
        folder = None if self.store is None else self.store.checkpoints
        if folder is not None and name is not None:
            folder = folder.below(name)
            self._beside.add(name)
        self.stop.defer()
        with Writer(_save(folder, fitting.training.checkpoint.keep)) as writer:
            outside = Outside(
                lambda: self.stop.asked,
                None if folder is None else writer.save,
                writer.drain,
                Watchdog(partial(_give_up, self.pod, writer)),
            )
            fitted = fit(fitting, self.gang, Surroundings(tracker, folder, outside))
        if fitted.finished and name is None:
            # After a fit beside it, who was asked to stop does so by the vote of the next one: a
            # worker that left at once would look lost to its peers.
            self.stop.resume()
        return fitted

    def clear(self) -> None:
        """Delete the checkpoints of fits beside the stage's own: only a restart needs them.

        Raises:
            StoreUnavailable: the store refuses.
        """
        if self.store is None:
            return
        for name in self._beside:
            folder = self.store.checkpoints.below(name)
            for file in folder.names():
                folder.remove(file)


def _give_up(pod: Pod, writer: Writer, error: Stalled) -> None:
    """End this worker, whose main thread waits for what does not come."""
    _log.error("%s: %s", error.reason, error)
    termination.write_failure(error, pod.environ)
    try:
        writer.drain(_LAST_WRITE_SECONDS)
    except TrainerError as failure:
        _log.error("the last checkpoint was not written: %s", failure)
    logging.shutdown()
    os._exit(error.exit_code)


def _save(folder: Folder | None, keep: int) -> Callable[[Snapshot], None]:
    """Writes checkpoints on the chief, and nothing elsewhere."""
    if folder is None:
        return lambda _: None
    return lambda snapshot: checkpoints.save(folder, snapshot, keep)
