"""The training loop: epochs, checkpoints, early stopping, and the vote to stop.

All workers take every decision alike: from the step number, from sums that were reduced over
all of them, or from the vote. Nothing is decided by one worker's clock or signal alone.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from trainyard_api.spec import Training
from trainyard_trainer.errors import Diverged
from trainyard_trainer.training.batches import Batches, Matrix
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.graph import Call, Measurer, Sums, Trainer
from trainyard_trainer.training.pace import Pace
from trainyard_trainer.training.reporting import Reporter
from trainyard_trainer.training.snapshot import Snapshot
from trainyard_trainer.training.state import State
from trainyard_trainer.training.watchdog import Watchdog

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outside:
    """What the loop asks of the world.

    Attributes:
        asked_to_stop: whether this worker got SIGTERM.
        save: hands a checkpoint over to be written; does nothing on workers that are not the
            chief.
        drain: returns when all that was handed over is written.
        watchdog: ends this worker where a call of the graph takes too long.
    """

    asked_to_stop: Callable[[], bool]
    save: Callable[[Snapshot], None]
    drain: Callable[[], None]
    watchdog: Watchdog


class Loop:
    """Trains until the last epoch, early stopping, or a vote to stop."""

    def __init__(
        self,
        training: Training,
        gang: Gang,
        state: State,
        batches: Batches,
        trainer: Trainer,
        validation: Measurer | None,
        reporter: Reporter,
        outside: Outside,
    ) -> None:
        self._training = training
        self._gang = gang
        self._state = state
        self._batches = batches
        self._trainer = trainer
        self._validation = validation
        self._reporter = reporter
        self._outside = outside
        self._pace = Pace(training.stepsPerExecution)
        self._seconds = 0.0
        self._saved: tuple[int, int] | None = (state.step, state.closed) if state.step else None

    def run(self) -> bool:
        """Train. Returns False where the gang was asked to stop; its state is saved then.

        Raises:
            Diverged: the loss is no number any more.
            StoreUnavailable: the chief cannot write a checkpoint.
        """
        while self._state.closed < self._training.epochs and not self._state.patience.stopped:
            if not self._run_epoch():
                self._save()
                self._outside.drain()
                self._gang.barrier()
                return False
            self._close_epoch()
        self._save()
        self._outside.drain()
        self._state.take_averages(self._gang)
        if self._training.earlyStopping and self._training.earlyStopping.restoreBest:
            self._state.restore_best(self._gang)
        return True

    def _run_epoch(self) -> bool:
        """Train what is left of the epoch. Returns False where the gang was asked to stop."""
        epoch, per_epoch = self._state.closed, self._batches.steps_per_epoch
        matrix = self._batches.of_epoch(epoch)
        end = (epoch + 1) * per_epoch
        sums = Sums(0.0, 0.0, 0.0)
        while self._state.step < end:
            first = self._state.step
            count = self._pace.steps(self._until_boundary(end))
            call = self._call(matrix.cut(first - epoch * per_epoch, count), first)
            sums += call.sums
            self._reporter.trained(
                self._state.step,
                self._pace.step_seconds,
                loss=sums.mean_loss,
                accuracy=sums.accuracy,
            )
            if call.stops:
                _log.info(
                    "%d workers were asked to stop; saving step %d", call.stops, first + count
                )
                return False
            # At an epoch's end the checkpoint comes after its validation.
            if (
                self._state.step % self._training.checkpoint.everySteps
                == 0
                < end - self._state.step
            ):
                self._save()
        _log.info(
            "epoch %d of %d: loss %.4f, accuracy %.4f",
            epoch + 1,
            self._training.epochs,
            sums.mean_loss,
            sums.accuracy,
        )
        return True

    def _call(self, batches: Matrix, first: int) -> Call:
        begun = time.monotonic()
        stop = self._outside.asked_to_stop()
        with self._outside.watchdog.expecting(first, self._pace.seconds(len(batches))):
            call = self._trainer.run(batches, first, stop, self._seconds)
        self._seconds = time.monotonic() - begun
        self._state.step = first + len(batches)
        if not math.isfinite(call.sums.loss):
            raise Diverged(
                f"the loss was no finite number between step {first + 1} and {self._state.step}; "
                "try a smaller spec.training.optimizer.learningRate, or "
                "spec.data.preprocessing.scaling: standard"
            )
        self._pace.measured(len(batches), call.seconds)
        return call

    def _until_boundary(self, end: int) -> int:
        """Steps until the epoch's end or the next checkpoint."""
        every = self._training.checkpoint.everySteps
        return min(end - self._state.step, every - self._state.step % every)

    def _close_epoch(self) -> None:
        """Validation and early stopping, and the checkpoint that is due."""
        state, spec = self._state, self._training.earlyStopping
        if self._validation is not None:
            begun = time.monotonic()
            with state.averaged(self._gang):
                sums = self._validation.measure()
                metrics = {"val_loss": sums.mean_loss, "val_accuracy": sums.accuracy}
                if spec is not None:
                    state.patience = state.patience.after(spec, metrics[spec.monitor])
                    if spec.restoreBest and state.patience.waited == 0:
                        state.keep_best()
            _log.info("validation: loss %.4f, accuracy %.4f", sums.mean_loss, sums.accuracy)
            self._reporter.validated(time.monotonic() - begun, **metrics)
        state.closed += 1
        if self._is_due():
            self._save()

    def _is_due(self) -> bool:
        return self._state.step % self._training.checkpoint.everySteps == 0

    def _save(self) -> None:
        position = (self._state.step, self._state.closed)
        if position != self._saved:
            self._outside.save(self._state.snapshot())
            self._saved = position
