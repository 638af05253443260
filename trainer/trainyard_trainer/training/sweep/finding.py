"""The sweep itself: a model that is thrown away, learned from with larger and larger rates."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from trainyard_api.spec import Training
from trainyard_api.spec.training import Schedule
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Part, Store
from trainyard_trainer.training.fit import Fitting
from trainyard_trainer.training.fit.batches import Batches
from trainyard_trainer.training.fit.feed import Feed
from trainyard_trainer.training.fit.fitting import built
from trainyard_trainer.training.fit.graph import Trainer
from trainyard_trainer.training.fit.reporting import Length
from trainyard_trainer.training.fit.updating import Pace
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.sweep import range_test

_log = logging.getLogger(__name__)

_FIELD: Final = "spec.training.optimizer.learningRate"
_DOING: Final = "finding the learning rate"


@dataclass(frozen=True)
class Found:
    """What a sweep has found.

    Attributes:
        training: with the rate.
        note: for people.
    """

    training: Training
    note: str


def found_rate(fitting: Fitting, gang: Gang, store: Store | None, tracker: Tracker) -> Found:
    """The training with the rate that a sweep finds, or has found in an earlier attempt.

    All workers call it alike; the chief keeps the losses in the store. There is nothing to save
    before its end: who is told to stop meanwhile ends at once.

    Args:
        fitting: whose rate is to be found.
        store: None on workers that are not the chief.

    Raises:
        InvalidSpec: no rate makes the loss smaller.
        StoreUnavailable: the chief cannot keep what was found.
        tf.errors.OpError: a worker vanished.
    """
    part = None if store is None else store.learning_rate
    kept = _kept(part)
    rate = float(gang.from_chief([np.array([kept], np.float64)])[0][0])
    if rate:
        return _found(fitting.training, rate)
    losses = _sweep(fitting, gang, tracker)
    chosen = range_test.choose(losses)
    if chosen is None:
        raise InvalidSpec(
            f"{_FIELD}: auto has found no rate from {range_test.LOWEST:g} to "
            f"{range_test.HIGHEST:g} with which the loss becomes smaller; name one, or look at the "
            "data and the model"
        )
    if part is not None:
        _keep(part, chosen, losses)
    return _found(fitting.training, chosen)


def _found(training: Training, rate: float) -> Found:
    note = f"learning rate {rate:g}, found by a sweep; its losses are in model/learning-rate.json"
    _log.info(note)
    optimizer = training.optimizer.model_copy(update={"learningRate": rate})
    return Found(training.model_copy(update={"optimizer": optimizer}), note)


def _sweep(fitting: Fitting, gang: Gang, tracker: Tracker) -> list[float]:
    """The loss of each step."""
    first = fitting.training.optimizer.model_copy(update={"learningRate": range_test.LOWEST})
    training = fitting.training.model_copy(update={"optimizer": first, "schedule": Schedule()})
    # Each step is an update here: what it does to the loss is to be seen in the next one.
    pace = Pace(scales=Pace.of(training).scales)
    length = Length(1, range_test.STEPS)
    model, updating = built(replace(fitting, training=training), gang, length, pace)
    feed = Feed(gang, fitting.train, fitting.objective.row_weights)
    trainer = Trainer(
        gang, model, updating, fitting.objective, feed, training.seed, fitting.augmentation
    )
    batches = Batches(len(fitting.train), training.batchSize, gang.replicas, training.seed)
    losses: list[float] = []
    for step, rate in enumerate(range_test.rates()):
        tracker.say(f"{_DOING}, step {step + 1} of {range_test.STEPS}")
        with gang.strategy.scope():
            updating.optimizer.learning_rate = rate
        epoch, place = divmod(step, batches.steps_per_epoch)
        fed = feed.take(batches.of_epoch(epoch).cut(place, 1))
        call = trainer.run(fed, step, False, 0.0)
        losses.append(call.sums.mean_loss)
        if not call.sound or range_test.is_over(losses):
            break
    return losses


def _kept(part: Part | None) -> float:
    """The rate that an earlier attempt has found; 0: none has."""
    content = None if part is None else part.read()
    if content is None:
        return 0.0
    try:
        return float(json.loads(content)["learningRate"])
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("the earlier attempt's learning rate is not used: %s", error)
        return 0.0


def _keep(part: Part, rate: float, losses: list[float]) -> None:
    finite = [loss if np.isfinite(loss) else None for loss in losses]
    curve = [
        {"learningRate": each, "loss": loss}
        for each, loss in zip(range_test.rates(), finite, strict=False)
    ]
    text = json.dumps({"learningRate": rate, "curve": curve}, indent=1)
    part.publish(lambda path: path.write_text(text))
