"""The training stage, from the pod's environment to its result."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import keras
import numpy as np

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import TerminationMessage, TrainResult
from trainyard_trainer import evaluation, export, models, termination
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.errors import InvalidSpec, PeerLost, Stalled, TrainerError
from trainyard_trainer.models import building
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.signals import StopRequest
from trainyard_trainer.store import Store
from trainyard_trainer.training import checkpoints, optimizers
from trainyard_trainer.training.batches import Batches, class_weights
from trainyard_trainer.training.gang import Gang, peers_may_vanish
from trainyard_trainer.training.graph import Measurer, Trainer
from trainyard_trainer.training.loop import Loop, Outside
from trainyard_trainer.training.randomness import seeds_of_replicas
from trainyard_trainer.training.reporting import PERCENT_TRAINED, Length, Reporter
from trainyard_trainer.training.snapshot import Snapshot
from trainyard_trainer.training.state import State
from trainyard_trainer.training.watchdog import Watchdog
from trainyard_trainer.training.writing import Writer

_log = logging.getLogger(__name__)

_FAREWELL_SECONDS: Final = 0.5
_LAST_WRITE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class _Stage:
    """What the stage works with.

    Attributes:
        store: None on workers that are not the chief: they need no access to it.
        begun: when this attempt began, on the monotonic clock.
    """

    pod: Pod
    tracker: Tracker
    stop: StopRequest
    store: Store | None
    dataset: Dataset
    gang: Gang
    begun: float


@dataclass(frozen=True)
class _Trained:
    """A trained model and how it came about."""

    model: keras.Model
    state: State
    resumed_from: int


def run(pod: Pod, tracker: Tracker, stop: StopRequest) -> ExitCode:
    """Train, evaluate, export and report; the result goes into the termination message.

    Returns:
        OK, or SAVED where the gang was stopped by SIGTERM after a checkpoint.

    Raises:
        TrainerError: see `trainyard_trainer.errors`.
    """
    begun = time.monotonic()
    store = Store.open(pod.storage, pod.environ) if pod.is_chief else None
    result = export.finished_result(store) if store is not None else None
    if result is not None and pod.count == 1:
        return _report(pod, result)
    # Data and spec are checked before the gang assembles: what is wrong is said at once.
    tracker.say("reading data")
    dataset = load(pod.spec.data, pod.environ)
    check(pod, dataset)
    gang = Gang.assemble(pod, tracker.say)
    with peers_may_vanish(pod):
        if not gang.from_chief([np.array([result is not None], np.float32)])[0][0]:
            tracker.say("compiling the graph")
            stage = _Stage(pod, tracker, stop, store, dataset, gang, begun)
            trained = _train(stage)
            if trained is None:
                _say_farewell(pod)
                return ExitCode.SAVED
            result = _conclude(stage, trained)
        if result is None:
            gang.barrier()
            return ExitCode.OK
    _report(pod, result)
    try:
        with peers_may_vanish(pod):
            gang.barrier()
    except PeerLost as error:
        # The result is in the store and reported: it stands, whatever became of the others.
        _log.warning("at the end, %s", error)
    _say_farewell(pod)
    return ExitCode.OK


def check(pod: Pod, dataset: Dataset) -> None:
    """Make sure that the spec can be carried out on this data.

    Raises:
        InvalidSpec: it cannot.
    """
    spec = pod.spec
    building.check(spec.model, dataset.input_shape)
    optimizers.check(spec.training)
    evaluation.check(spec.evaluation.metrics)
    if spec.training.earlyStopping is not None and len(dataset.validation) == 0:
        raise InvalidSpec(
            "spec.training.earlyStopping: needs a validation part; "
            "set spec.data.split.validation to 0.1"
        )
    if spec.training.batchSize < pod.count:
        raise InvalidSpec(
            f"spec.training.batchSize: is {spec.training.batchSize} for {pod.count} workers; "
            f"make it at least {pod.count}"
        )


def _train(stage: _Stage) -> _Trained | None:
    """The trained model; None where the gang was asked to stop."""
    training, dataset, gang = stage.pod.spec.training, stage.dataset, stage.gang
    batches = Batches(len(dataset.train), training.batchSize, gang.replicas, training.seed)
    length = Length(training.epochs, batches.steps_per_epoch)
    model, optimizer = _build(stage, length)
    state = State(model, optimizer)
    reporter = Reporter(stage.tracker, length, training.batchSize)
    folder = None if stage.store is None else stage.store.checkpoints
    state.resume(gang, folder)
    resumed_from = state.step
    if resumed_from:
        _log.info("resuming at step %d of %d", resumed_from, length.steps)
        reporter.trained(resumed_from, None)
    weights = class_weights(
        dataset.train.labels, dataset.classes, training.classWeights == "balanced"
    )
    stage.stop.defer()
    with Writer(_save(folder, training.checkpoint.keep)) as writer:
        loop = Loop(
            training,
            gang,
            state,
            batches,
            Trainer(gang, model, optimizer, dataset.train, weights, training.seed),
            Measurer(gang, model, dataset.validation) if len(dataset.validation) else None,
            reporter,
            Outside(
                lambda: stage.stop.asked,
                writer.save,
                writer.drain,
                Watchdog(partial(_give_up, stage.pod, writer)),
            ),
        )
        if not loop.run():
            return None
    stage.stop.resume()
    return _Trained(model, state, resumed_from)


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


def _build(stage: _Stage, length: Length) -> tuple[keras.Model, keras.optimizers.Optimizer]:
    spec, dataset = stage.pod.spec, stage.dataset
    keras.utils.set_random_seed(spec.training.seed)
    scaling = models.fit_scaling(spec.data.preprocessing.scaling, dataset.train.features)
    with stage.gang.strategy.scope(), seeds_of_replicas():
        model = models.build(spec.model, dataset.input_shape, dataset.classes, scaling)
        optimizer = optimizers.build(spec.training, length.steps, length.steps_per_epoch)
        optimizer.build(model.trainable_variables)
    return model, optimizer


def _save(folder: Path | None, keep: int) -> Callable[[Snapshot], None]:
    """Writes checkpoints on the chief, and nothing elsewhere."""
    if folder is None:
        return lambda _: None
    return lambda snapshot: checkpoints.save(folder, snapshot, keep)


def _conclude(stage: _Stage, trained: _Trained) -> TrainResult | None:
    """Evaluate with the whole gang; the chief exports. The result, on the chief alone."""
    test, tracker = stage.dataset.test, stage.tracker
    tracker.say("evaluating", PERCENT_TRAINED + 1)
    predicted = Measurer(stage.gang, trained.model, test).predict()
    if stage.store is None:
        return None
    metrics = evaluation.measure(stage.pod.spec.evaluation.metrics, test.labels, predicted)
    _log.info("test: %s", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    tracker.say("writing the model", PERCENT_TRAINED + 3)
    saved_model, keras_file = export.export_model(trained.model, stage.store)
    result = TrainResult(
        metrics=metrics,
        examples=len(test),
        epochs=trained.state.closed,
        steps=trained.state.step,
        resumedFromStep=trained.resumed_from,
        stoppedEarly=trained.state.patience.stopped,
        seconds=round(time.monotonic() - stage.begun, 3),
        model=saved_model,
        keras=keras_file,
    )
    export.keep_result(result, stage.store)
    tracker.say("done", 100)
    return result


def _report(pod: Pod, result: TrainResult) -> ExitCode:
    termination.write(TerminationMessage(train=result), pod.environ)
    return ExitCode.OK


def _say_farewell(pod: Pod) -> None:
    """The chief leaves last: it hosts the service that the others' TensorFlow listens to, and
    they would take its end for a failure.
    """
    if pod.is_chief and pod.count > 1:
        time.sleep(_FAREWELL_SECONDS)
