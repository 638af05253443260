"""The training stage, from the pod's environment to its result."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import TerminationMessage, TrainResult
from trainyard_api.spec import MetricName, TrainingJobSpec
from trainyard_trainer import augmentation, export, termination
from trainyard_trainer.data import Dataset, Part, prepared
from trainyard_trainer.errors import Diverged, InvalidSpec, PeerLost
from trainyard_trainer.export import baseline
from trainyard_trainer.models import building
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.signals import StopRequest
from trainyard_trainer.store import Store
from trainyard_trainer.tasks import Task, task_for
from trainyard_trainer.tasks.own_loss import check_own_loss
from trainyard_trainer.tasks.task import Outputs
from trainyard_trainer.training import monitors, optimizers, precision, ready
from trainyard_trainer.training.attendant import Attendant
from trainyard_trainer.training.fit import Fitted
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.graph import Measurer
from trainyard_trainer.training.fit.reporting import PERCENT_TRAINED
from trainyard_trainer.training.gang import Gang, peers_may_vanish
from trainyard_trainer.training.objectives.objective import Supervised
from trainyard_trainer.training.ready import Ready
from trainyard_trainer.training.supervised import supervised
from trainyard_trainer.training.sweep import found_rate

_log = logging.getLogger(__name__)

_FAREWELL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class _Stage:
    """What the stage works with.

    Attributes:
        begun: when this attempt began, on the monotonic clock.
    """

    attendant: Attendant
    ready: Ready
    task: Task
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
    dataset = reading()
    for note in dataset.notes:
        _log.info("data: %s", note)
    task = task_for(pod.spec, dataset.schema, dataset.train.targets)
    check(pod, dataset, task)
    gang = Gang.assemble(pod, tracker.say)
    with peers_may_vanish(pod):
        if not gang.from_chief([np.array([result is not None], np.float32)])[0][0]:
            # Not before: TensorFlow wants a gang to assemble before anything else is done with it.
            check_own_loss(pod.spec.training, task.outputs)
            pod, dataset = _settled(pod, dataset, task, gang, store, tracker)
            tracker.say("compiling the graph")
            attendant = Attendant(pod, stop, store, gang)
            made = ready.ready(attendant, dataset, tracker)
            stage = None if made is None else _stage(attendant, made, begun)
            fitted = None if stage is None else _train(stage)
            if stage is None or fitted is None:
                _say_farewell(pod)
                return ExitCode.SAVED
            result = _conclude(stage, fitted)
        if result is None:
            gang.barrier()
            _say_farewell(pod)
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


def check(pod: Pod, dataset: Dataset, task: Task) -> None:
    """Make sure that the spec can be carried out on this data.

    Raises:
        InvalidSpec: it cannot.
    """
    spec = pod.spec
    building.check(spec.model, dataset.schema)
    augmentation.check(spec.data.augmentation, dataset.schema)
    optimizers.check(spec.training)
    ready.check(spec.data, dataset)
    task.check(spec.training, _metrics(spec, dataset, task))
    monitors.check(spec.training, dataset, task)
    if spec.training.batchSize < pod.count:
        raise InvalidSpec(
            f"spec.training.batchSize: is {spec.training.batchSize} for {pod.count} workers; "
            f"make it at least {pod.count}"
        )
    if spec.training.jitCompile == "always" and pod.count > 1:
        raise InvalidSpec(
            f"spec.training.jitCompile: always, with {pod.count} workers; what they reduce cannot "
            "be compiled: use auto or never, or one worker"
        )
    if len(dataset.train) < pod.count:
        raise InvalidSpec(
            f"spec.workers.replicas: {pod.count} workers for {len(dataset.train)} training rows; "
            "use fewer workers, or bring more rows"
        )
    batches = Batches(len(dataset.train), spec.training.batchSize, pod.count, spec.training.seed)
    steps = batches.steps_per_epoch
    optimizers.check_length(spec.training, steps * spec.training.epochs, steps)


def _settled(
    pod: Pod, dataset: Dataset, task: Task, gang: Gang, store: Store | None, tracker: Tracker
) -> tuple[Pod, Dataset]:
    """What the spec leaves to the hardware and to trying is told: precision and learning rate."""
    training, note = precision.agreed(pod.spec.training, gang)
    notes = [] if note is None else [note]
    if training.optimizer.learningRate == "auto":
        spec = pod.spec.model_copy(update={"training": training})
        found = found_rate(supervised(spec, dataset, task, dataset.train), gang, store, tracker)
        training = found.training
        notes.append(found.note)
    spec = pod.spec.model_copy(update={"training": training})
    return replace(pod, spec=spec), replace(dataset, notes=(*dataset.notes, *notes))


def _stage(attendant: Attendant, made: Ready, begun: float) -> _Stage:
    task = task_for(attendant.pod.spec, made.dataset.schema, made.train.targets)
    return _Stage(attendant, made, task, begun)


def _train(stage: _Stage) -> Fitted | None:
    """The fitted model; None where the gang was asked to stop, and its state is saved."""
    made, spec = stage.ready, stage.attendant.pod.spec
    fitting = supervised(spec, made.dataset, stage.task, made.train)
    fitting = replace(fitting, callbacks=spec.training.callbacks)
    fitted = stage.attendant.fit(fitting, made.tracker)
    if not fitted.finished:
        return None
    if spec.training.precision == "float32":
        return fitted
    plain = spec.training.model_copy(update={"precision": "float32"})
    spec = spec.model_copy(update={"training": plain})
    again = supervised(spec, made.dataset, stage.task, made.train)
    model = precision.in_float32(fitted.model, again.build, stage.attendant.gang)
    return replace(fitted, model=model)


def _conclude(stage: _Stage, fitted: Fitted) -> TrainResult | None:
    """Evaluate with the whole gang; the chief exports. The result, on the chief alone."""
    dataset, tracker, task = stage.ready.dataset, stage.ready.tracker, stage.task
    test, spec, store = dataset.test, stage.attendant.pod.spec, stage.attendant.store
    tracker.say("evaluating", PERCENT_TRAINED + 1)
    outputs = _outputs(stage, fitted, test)
    _check_answers(outputs)
    chosen = outputs
    if task.learns_threshold:
        chosen = _outputs(stage, fitted, dataset.validation or dataset.train)
    if store is None:
        return None
    metrics = task.evaluate(_metrics(spec, dataset, task), test.targets, outputs)
    _log.info("test: %s", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    tracker.say("writing the model", PERCENT_TRAINED + 3)
    exported = export.exported(fitted.model, task, dataset.schema)
    saved_model, keras_file = export.export_model(
        exported.model, task.output, exported.schema, store
    )
    learned = exported.taken(baseline.sample(dataset.train))
    contract = export.contract_of(
        exported.schema, task.output, learned, task.answers(outputs), task.threshold(chosen)
    )
    rows = store.prepared.announce(
        lambda folder: prepared.write(
            folder, dataset, contract, spec.data.split.seed, exported.taken
        )
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
        data=prepared.report(dataset),
    )
    export.keep_result(result, store)
    stage.attendant.clear()
    tracker.say("done", 100)
    return result


def _metrics(spec: TrainingJobSpec, dataset: Dataset, task: Task) -> list[MetricName]:
    """The metrics that are measured."""
    return spec.evaluation.names(dataset.schema.target.task, task.further_metrics)


def _outputs(stage: _Stage, fitted: Fitted, part: Part) -> Outputs:
    """What the trained model gives for a part's rows; all workers ask together."""
    objective = Supervised(stage.task)
    return Measurer(stage.attendant.gang, fitted.model, objective, part).predict()


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
    """Nobody leaves at once: what a worker sent last, its neighbour in the ring fetches from it.

    The chief leaves last: it hosts the service that the others' TensorFlow listens to, and they
    would take its end for a failure.
    """
    if pod.count > 1:
        time.sleep(_FAREWELL_SECONDS * (2 if pod.is_chief else 1))
