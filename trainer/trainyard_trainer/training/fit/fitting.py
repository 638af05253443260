"""Fitting a model to rows: an engine that knows of no pod, no job and no file format.

The training stage uses it with a gang, checkpoints and a watchdog. Whatever else has to train a
model (a candidate that is tuned, a student, a model that makes rows) uses it as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras

from trainyard_api.spec import Callback, Training
from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.data.rows import Part
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Folder
from trainyard_trainer.training import optimizers
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.callbacks import Callbacks
from trainyard_trainer.training.fit.feed import Feed
from trainyard_trainer.training.fit.graph import Measurer, Trainer
from trainyard_trainer.training.fit.loop import Loop, Machinery, Outside
from trainyard_trainer.training.fit.randomness import seeds_of_replicas
from trainyard_trainer.training.fit.reporting import Length, Reporter
from trainyard_trainer.training.fit.shortage import BUILDING, must_fit
from trainyard_trainer.training.fit.state import State
from trainyard_trainer.training.fit.updating import Pace, Updating
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Objective

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitting:
    """What is fitted to what.

    Attributes:
        build: makes the model; called once, in the gang's scope.
        validation: may be empty; early stopping then cannot be asked for.
        augmentation: of the rows that are trained on; None: they are learned as they are.
        callbacks: of the job's author.
    """

    build: Callable[[], keras.Model]
    objective: Objective
    train: Part
    validation: Part
    training: Training
    augmentation: Augmentation | None = None
    callbacks: Sequence[Callback] = ()


@dataclass(frozen=True)
class Surroundings:
    """What a training uses beside the model and the rows.

    Attributes:
        tracker: takes the progress.
        checkpoints: folder from which it goes on; None: from nothing, as on workers that are not
            the chief, which is told by the chief.
        outside: who stops it, takes its checkpoints and watches it.
    """

    tracker: Tracker
    checkpoints: Folder | None
    outside: Outside

    @classmethod
    def none(cls) -> Surroundings:
        """A training of which nobody is told, which leaves nothing and goes on from nothing."""
        return cls(Tracker(), None, Outside(lambda: False, None, lambda: None, None))


@dataclass(frozen=True)
class Fitted:
    """A model and how far its training came.

    Attributes:
        finished: False: the gang was asked to stop, and its state is saved.
        resumed_from: step at which this attempt began.
        waited: seconds that steps had to wait for their rows.
    """

    model: keras.Model
    finished: bool
    steps: int
    epochs: int
    stopped_early: bool
    resumed_from: int
    waited: float


def fit(fitting: Fitting, gang: Gang, surroundings: Surroundings) -> Fitted:
    """Train, from the newest checkpoint on where there is one.

    All workers of the gang call it alike.

    Raises:
        InvalidSpec: the optimizer or its schedule cannot be made, there is too little memory to
            build the model or to take a step, or the author's own code fails.
        Diverged: the loss or the weights are no numbers any more.
        StoreUnavailable: a checkpoint cannot be written or read.
        tf.errors.OpError: a worker vanished (see `gang.peers_may_vanish`).
    """
    training = fitting.training
    batches = Batches(len(fitting.train), training.batchSize, gang.replicas, training.seed)
    length = Length(training.epochs, batches.steps_per_epoch)
    model, updating = built(fitting, gang, length, Pace.of(training))
    callbacks = Callbacks(fitting.callbacks, gang)
    state = State(model, updating.optimizer, updating.variables)
    reporter = Reporter(surroundings.tracker, length, training.batchSize)
    state.resume(gang, surroundings.checkpoints)
    resumed_from = state.step
    if resumed_from:
        _log.info("resuming at step %d of %d", resumed_from, length.steps)
        reporter.trained(resumed_from, None)
    objective = fitting.objective
    feed = Feed(gang, fitting.train, objective.row_weights)
    machinery = Machinery(
        gang=gang,
        state=state,
        batches=batches,
        feed=feed,
        trainer=Trainer(
            gang, model, updating, objective, feed, training.seed, fitting.augmentation
        ),
        objective=objective,
        validation=(
            Measurer(gang, model, objective, fitting.validation)
            if len(fitting.validation)
            else None
        ),
        callbacks=callbacks,
    )
    callbacks.begin(model, epochs=training.epochs, steps=length.steps_per_epoch)
    loop = Loop(training, machinery, reporter, surroundings.outside)
    finished = loop.run()
    return Fitted(
        model=model,
        finished=finished,
        steps=state.step,
        epochs=state.closed,
        stopped_early=state.patience.stopped,
        resumed_from=resumed_from,
        waited=loop.waited,
    )


def built(fitting: Fitting, gang: Gang, length: Length, pace: Pace) -> tuple[keras.Model, Updating]:
    """A new model and what updates it, the same on all workers.

    Raises:
        InvalidSpec: see `fit`.
    """
    keras.utils.set_random_seed(fitting.training.seed)
    with must_fit(BUILDING), gang.strategy.scope(), seeds_of_replicas():
        model = fitting.build()
        optimizer = optimizers.build(fitting.training, length.steps, length.steps_per_epoch)
        optimizer.build(model.trainable_variables)
        updating = Updating(pace, optimizer, model.trainable_variables)
    return model, updating
