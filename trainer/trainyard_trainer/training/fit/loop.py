"""The training loop: epochs, checkpoints, early stopping, and the vote to stop.

All workers take every decision alike: from the step number, from sums that were reduced over
all of them, or from the vote. Nothing is decided by one worker's clock or signal alone.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.errors import Diverged, InvalidSpec
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.fit.batches import Batches, Stretch
from trainyard_trainer.training.fit.callbacks import Callbacks
from trainyard_trainer.training.fit.compiling import Compiling, Way
from trainyard_trainer.training.fit.feed import Ahead, Fed, Feed
from trainyard_trainer.training.fit.graph import Call, Measurer, Trainer
from trainyard_trainer.training.fit.pace import Pace
from trainyard_trainer.training.fit.reporting import Reporter
from trainyard_trainer.training.fit.shortage import FIRST_STEP, must_fit
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.fit.sums import Sums
from trainyard_trainer.training.fit.watchdog import Watchdog
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Objective

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outside:
    """What the loop asks of the world.

    Attributes:
        asked_to_stop: whether this worker got SIGTERM.
        save: hands a checkpoint over to be written; None: this worker writes none, and takes no
            copy of its state.
        drain: returns when all that was handed over is written.
        watchdog: ends this worker where a call of the graph takes too long; None: nobody does.
    """

    asked_to_stop: Callable[[], bool]
    save: Callable[[Snapshot], None] | None
    drain: Callable[[], None]
    watchdog: Watchdog | None


@dataclass(frozen=True)
class Machinery:
    """What the loop drives.

    Attributes:
        validation: None where there are no rows to validate on.
    """

    gang: Gang
    state: State
    batches: Batches
    feed: Feed
    trainer: Trainer
    objective: Objective
    validation: Measurer | None
    callbacks: Callbacks


@dataclass(frozen=True)
class Planned:
    """A call that is prepared."""

    stretch: Stretch
    way: Way


class Loop:
    """Trains until the last epoch, early stopping, or a vote to stop.

    Attributes:
        waited: seconds that calls had to wait for their rows, in all.
    """

    def __init__(
        self, training: Training, machinery: Machinery, reporter: Reporter, outside: Outside
    ) -> None:
        self._training = training
        self._gang = machinery.gang
        self._state = machinery.state
        self._batches = machinery.batches
        self._trainer = machinery.trainer
        self._objective = machinery.objective
        self._validation = machinery.validation
        self._callbacks = machinery.callbacks
        self._reporter = reporter
        self._outside = outside
        most = machinery.feed.most_steps(training.batchSize)
        self._pace = Pace(training.stepsPerExecution, most)
        self._compiling = Compiling(
            training.jitCompile,
            possible=machinery.gang.replicas == 1,
            repeatable=not machinery.trainer.draws,
        )
        self._built: set[bool] = set()
        self._logs: dict[str, float] = {}
        self._ahead = Ahead(machinery.feed)
        self._upcoming = self._prepare(self._state.step)
        self._before: tuple[Planned, float] | None = None
        position = (self._state.step, self._state.closed)
        self._saved: tuple[int, int] | None = position if self._state.step else None

    @property
    def waited(self) -> float:
        """Seconds that calls had to wait for their rows, in all."""
        return self._ahead.waited

    def run(self) -> bool:
        """Train. Returns False where the gang was asked to stop; its state is saved then.

        Raises:
            Diverged: the loss or the weights are no numbers any more.
            InvalidSpec: there is too little memory for the first step.
            StoreUnavailable: the chief cannot write a checkpoint.
        """
        try:
            return self._run()
        finally:
            self._ahead.close()

    def _run(self) -> bool:
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
        self._callbacks.end()
        return True

    def _run_epoch(self) -> bool:
        """Train what is left of the epoch. Returns False where the gang was asked to stop."""
        epoch = self._state.closed
        self._callbacks.epoch_begins(epoch)
        end = (epoch + 1) * self._batches.steps_per_epoch
        sums: Sums | None = None
        while self._state.step < end:
            call = self._call()
            sums = call.sums if sums is None else sums + call.sums
            metrics = self._metrics(sums)
            metrics["learning_rate"] = self._state.learning_rate
            self._logs = metrics
            self._reporter.trained(self._state.step, self._pace.step_seconds, **metrics)
            if call.stops:
                _log.info(
                    "%d workers were asked to stop; saving step %d", call.stops, self._state.step
                )
                return False
            # At an epoch's end the checkpoint comes after its validation.
            if self._is_due() and self._state.step < end:
                self._save()
        if sums is not None:
            told = _listed(self._metrics(sums))
            _log.info("epoch %d of %d: %s", epoch + 1, self._training.epochs, told)
        return True

    def _call(self) -> Call:
        planned = self._upcoming
        assert planned is not None, "a step is trained that no epoch has"
        stretch = planned.stretch
        # A training that goes on from a checkpoint has found the memory before.
        with nullcontext() if self._state.step else must_fit(FIRST_STEP):
            fed = self._ahead.take()
            self._upcoming = self._prepare(stretch.end)
            call = self._timed(planned, fed)
        self._state.step = stretch.end
        if not (call.sound and math.isfinite(call.sums.loss)):
            raise Diverged(
                f"the {'loss' if call.sound else 'weights'} became no finite number between step "
                f"{stretch.first + 1} and {stretch.end}; try a smaller "
                "spec.training.optimizer.learningRate, or spec.data.preprocessing.scaling: standard"
            )
        return call

    def _timed(self, planned: Planned, fed: Fed) -> Call:
        begun = time.monotonic()
        with self._watched(planned.stretch):
            call = self._made(planned, fed)
        if self._before is not None and self._before[0].way.tells:
            self._pace.measured(self._before[0].stretch.steps, call.seconds)
        seconds = time.monotonic() - begun
        self._before = (planned, seconds)
        way, built = planned.way, planned.way.compiled not in self._built
        self._built.add(way.compiled)
        verdict = self._compiling.measured(way, planned.stretch.steps, seconds, built=built)
        if verdict is not None:
            _log.info("steps are %s from now on", "compiled by XLA" if verdict else "not compiled")
        return call

    def _made(self, planned: Planned, fed: Fed) -> Call:
        first, compiled = planned.stretch.first, planned.way.compiled
        stop = self._outside.asked_to_stop()
        seconds = 0.0 if self._before is None else self._before[1]
        try:
            return self._trainer.run(fed, first, stop, seconds, compiled=compiled)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if not compiled:
                raise
            if self._training.jitCompile == "always":
                raise InvalidSpec(
                    "spec.training.jitCompile: XLA cannot compile this model's steps "
                    f"({error.message.splitlines()[0][:300]}); use auto or never"
                ) from error
            _log.info("XLA cannot compile the steps, which go on without it: %s", error.message)
            self._compiling.failed()
            return self._trainer.run(fed, first, stop, seconds)

    def _watched(self, stretch: Stretch) -> AbstractContextManager[None]:
        watchdog = self._outside.watchdog
        if watchdog is None:
            return nullcontext()
        return watchdog.expecting(stretch.first, self._pace.seconds(stretch.steps))

    def _prepare(self, step: int) -> Planned | None:
        """Begin to take the rows of the call that begins at a step; None where all are done."""
        epoch, per_epoch = step // self._batches.steps_per_epoch, self._batches.steps_per_epoch
        if epoch >= self._training.epochs:
            return None
        every = self._training.checkpoint.everySteps
        boundary = min((epoch + 1) * per_epoch - step, every - step % every)
        way = self._compiling.plan(self._training.epochs * per_epoch - step)
        steps = self._pace.plan(boundary if way.most is None else min(boundary, way.most))
        stretch = Stretch(epoch, step, steps)
        self._ahead.prepare(lambda: self._batches.cut(stretch))
        return Planned(stretch, way)

    def _close_epoch(self) -> None:
        """Validation and early stopping, and the checkpoint that is due."""
        state, spec = self._state, self._training.earlyStopping
        if self._validation is not None:
            begun = time.monotonic()
            with state.averaged(self._gang):
                sums = self._validation.measure()
                measured = self._metrics(sums)
                metrics = {f"val_{name}": value for name, value in measured.items()}
                if spec is not None and state.closed >= spec.startFromEpoch:
                    state.patience = state.patience.after(spec, metrics[spec.monitor])
                    if spec.restoreBest and state.patience.waited == 0:
                        state.keep_best()
            state.judge_rate(self._gang, metrics)
            _log.info("validation: %s", _listed(measured))
            self._reporter.validated(time.monotonic() - begun, **metrics)
            self._logs |= metrics
        if self._callbacks.epoch_ends(state.closed, self._logs):
            _log.info("a callback has ended the training with epoch %d", state.closed + 1)
            state.patience = replace(state.patience, stopped=True)
        state.closed += 1
        if self._is_due():
            self._save()

    def _metrics(self, sums: Sums) -> dict[str, float]:
        """What is shown of sums: the loss, and what the objective counts beside it."""
        return {"loss": sums.mean_loss} | self._objective.progress(sums.means)

    def _is_due(self) -> bool:
        return self._state.step % self._training.checkpoint.everySteps == 0

    def _save(self) -> None:
        position = (self._state.step, self._state.closed)
        if position != self._saved:
            if self._outside.save is not None:
                self._outside.save(self._state.snapshot())
            self._saved = position


def _listed(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
