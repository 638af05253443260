"""The training stage, from the pod's environment to its result."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import TerminationMessage, TrainResult
from trainyard_trainer import augmentation, export, models, termination
from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.data import Dataset, prepared
from trainyard_trainer.errors import Diverged, InvalidSpec, PeerLost, Stalled, TrainerError
from trainyard_trainer.models import building
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.signals import StopRequest
from trainyard_trainer.store import Folder, Store
from trainyard_trainer.tasks import Task, task_of
from trainyard_trainer.tasks.task import Outputs
from trainyard_trainer.training import checkpoints, optimizers
from trainyard_trainer.training.fit import Fitted, Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang, peers_may_vanish
from trainyard_trainer.training.graph import Measurer
from trainyard_trainer.training.loop import Outside
from trainyard_trainer.training.objective import Supervised
from trainyard_trainer.training.reporting import PERCENT_TRAINED
from trainyard_trainer.training.snapshot import Snapshot
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
    task: Task
    gang: Gang
    begun: float


def run(pod: Pod, tracker: Tracker, stop: StopRequest, reading: Callable[[], Dataset]) -> ExitCode:
    """Train, evaluate, export and report; the result goes into the termination message.

    Args:
        reading: waits for the data, which is being read already.

    Returns:
        OK, or SAVED where the gang was stopped by SIGTERM after a checkpoint.

    Raises:
        TrainerError: see `trainyard_trainer.errors`.
    """
    begun = time.monotonic()
    store = Store.open(pod.storage, pod.environ, "train", pod.attempt) if pod.is_chief else None
    result = export.finished_result(store) if store is not None else None
    if result is not None and pod.count == 1:
        return _report(pod, result)
    # Data and spec are checked before the gang assembles: what is wrong is said at once.
    dataset = _noted(pod, reading())
    for note in dataset.notes:
        _log.info("data: %s", note)
    task = task_of(dataset.schema.target, pod.spec.training, dataset.train.targets)
    check(pod, dataset, task)
    gang = Gang.assemble(pod, tracker.say)
    with peers_may_vanish(pod):
        if not gang.from_chief([np.array([result is not None], np.float32)])[0][0]:
            tracker.say("compiling the graph")
            stage = _Stage(pod, tracker, stop, store, dataset, task, gang, begun)
            fitted = _train(stage)
            if not fitted.finished:
                _say_farewell(pod)
                return ExitCode.SAVED
            result = _conclude(stage, fitted)
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


def _noted(pod: Pod, dataset: Dataset) -> Dataset:
    """The data set, which tells also what a training changes in its rows."""
    layers = pod.spec.data.augmentation
    if not layers:
        return dataset
    note = augmentation.note(layers, len(dataset.train))
    return replace(dataset, notes=(*dataset.notes, note))


def check(pod: Pod, dataset: Dataset, task: Task) -> None:
    """Make sure that the spec can be carried out on this data.

    Raises:
        InvalidSpec: it cannot.
    """
    spec = pod.spec
    building.check(spec.model, dataset.schema)
    augmentation.check(spec.data.augmentation, dataset.schema)
    optimizers.check(spec.training, pod.count)
    task.check(spec.training, spec.evaluation.names(dataset.schema.target.task))
    stopping = spec.training.earlyStopping
    if stopping is not None and len(dataset.validation) == 0:
        raise InvalidSpec(
            "spec.training.earlyStopping: needs a validation part; "
            "set spec.data.split.validation to 0.1"
        )
    shown = ["loss", *task.progress(dict.fromkeys(task.measures, 0.0))]
    if stopping is not None and stopping.monitor not in (monitors := [f"val_{n}" for n in shown]):
        raise InvalidSpec(
            f"spec.training.earlyStopping.monitor: {stopping.monitor} is not measured in "
            f"{dataset.schema.target.task}; use one of: {', '.join(monitors)}"
        )
    if spec.training.batchSize < pod.count:
        raise InvalidSpec(
            f"spec.training.batchSize: is {spec.training.batchSize} for {pod.count} workers; "
            f"make it at least {pod.count}"
        )
    if len(dataset.train) < pod.count:
        raise InvalidSpec(
            f"spec.workers.replicas: {pod.count} workers for {len(dataset.train)} training rows; "
            "use fewer workers, or bring more rows"
        )


def _train(stage: _Stage) -> Fitted:
    """Fit the model, until its end or a vote to stop."""
    spec, dataset, task = stage.pod.spec, stage.dataset, stage.task
    kind = spec.data.preprocessing.scaling
    scaling = models.scaling_for(kind, dataset.schema, dataset.moments)
    fitting = Fitting(
        build=lambda: models.build(spec.model, dataset.schema, task, scaling),
        objective=Supervised(task),
        train=dataset.train,
        validation=dataset.validation,
        training=spec.training,
        augmentation=Augmentation.of(spec.data.augmentation, dataset),
    )
    folder = None if stage.store is None else stage.store.checkpoints
    stage.stop.defer()
    with Writer(_save(folder, spec.training.checkpoint.keep)) as writer:
        outside = Outside(
            lambda: stage.stop.asked,
            None if folder is None else writer.save,
            writer.drain,
            Watchdog(partial(_give_up, stage.pod, writer)),
        )
        fitted = fit(fitting, stage.gang, Surroundings(stage.tracker, folder, outside))
    if fitted.finished:
        stage.stop.resume()
    return fitted


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


def _conclude(stage: _Stage, fitted: Fitted) -> TrainResult | None:
    """Evaluate with the whole gang; the chief exports. The result, on the chief alone."""
    test, tracker, task = stage.dataset.test, stage.tracker, stage.task
    tracker.say("evaluating", PERCENT_TRAINED + 1)
    outputs = Measurer(stage.gang, fitted.model, Supervised(task), test).predict()
    _check_answers(outputs)
    if stage.store is None:
        return None
    names = stage.pod.spec.evaluation.names(stage.dataset.schema.target.task)
    metrics = task.evaluate(names, test.targets, outputs)
    _log.info("test: %s", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    tracker.say("writing the model", PERCENT_TRAINED + 3)
    saved_model, keras_file = export.export_model(fitted.model, task.output, stage.store)
    seed = stage.pod.spec.data.split.seed
    contract = export.contract_of(stage.dataset.schema, task.output)
    rows = stage.store.prepared.announce(
        lambda folder: prepared.write(folder, stage.dataset, contract, seed)
    )
    result = TrainResult(
        metrics=metrics,
        examples=len(test),
        epochs=fitted.epochs,
        steps=fitted.steps,
        resumedFromStep=fitted.resumed_from,
        stoppedEarly=fitted.stopped_early,
        seconds=round(time.monotonic() - stage.begun, 3),
        model=saved_model,
        keras=keras_file,
        prepared=rows,
        data=prepared.report(stage.dataset),
    )
    export.keep_result(result, stage.store)
    tracker.say("done", 100)
    return result


def _check_answers(outputs: Outputs) -> None:
    """Weights may all be numbers, and so large that no answer is one.

    Raises:
        Diverged: an answer is none.
    """
    wrong = int((~np.isfinite(outputs)).any(axis=1).sum())
    if wrong:
        raise Diverged(
            f"the trained model answers {wrong} of {len(outputs)} test rows with no finite number; "
            "try a smaller spec.training.optimizer.learningRate, or "
            "spec.data.preprocessing.scaling: standard"
        )


def _report(pod: Pod, result: TrainResult) -> ExitCode:
    termination.write(TerminationMessage(train=result), pod.environ)
    return ExitCode.OK


def _say_farewell(pod: Pod) -> None:
    """The chief leaves last: it hosts the service that the others' TensorFlow listens to, and
    they would take its end for a failure.
    """
    if pod.is_chief and pod.count > 1:
        time.sleep(_FAREWELL_SECONDS)
