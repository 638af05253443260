"""The training's state in memory: model, optimizer, and what early stopping remembers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.store import Folder
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.fit.randomness import is_seed
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.optimizers.schedules import plateau_of
from trainyard_trainer.training.stopping import Patience

_log = logging.getLogger(__name__)


class State:
    """Where the training is; equal on all workers at every step.

    Attributes:
        step: steps done, over all attempts.
        closed: epochs whose end has been dealt with.
        best: the model's weights after the best epoch; empty before its end.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        further: Sequence[Any] = (),
    ) -> None:
        """Args:
        further: variables that go into checkpoints beside those of model and optimizer.
        """
        self.step = 0
        self.closed = 0
        self.patience = Patience()
        self.best: Sequence[NDArray[Any]] = []
        self._model = model
        self._optimizer = optimizer
        self._weights = [v for v in model.variables if not is_seed(v)]
        self._plateau = plateau_of(optimizer)
        memory = [] if self._plateau is None else [self._plateau.memory]
        self._variables = [*self._weights, *optimizer.variables, *memory, *further]

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        # A constant one is a variable, of which a gang has one for each replica: no plain number.
        return float(self._optimizer.learning_rate.numpy())

    def judge_rate(self, gang: Gang, metrics: Mapping[str, float]) -> None:
        """After an epoch's validation: reduce the rate where its schedule says so.

        Args:
            metrics: of the validation part, by the names that are monitored.
        """
        if self._plateau is not None:
            judged = self._plateau.judged(metrics[self._plateau.rule.monitor])
            before = self.learning_rate
            _assign(gang, [self._plateau.memory], [judged])
            if (now := self.learning_rate) != before:
                _log.info("no improvement: the learning rate is %.3g from now on", now)

    def snapshot(self) -> Snapshot:
        """Everything that a restart needs."""
        return Snapshot(
            self.step,
            self.closed,
            self.patience,
            _values(self._variables),
            self.best,
            [str(getattr(v, "path", v.name)) for v in self._variables],
        )

    def keep_best(self) -> None:
        """Remember the model's weights as the best."""
        self.best = _values(self._weights)

    def take_averages(self, gang: Gang) -> None:
        """Give the model the optimizer's moving averages, where it keeps some (use_ema)."""
        with gang.strategy.scope():
            self._optimizer.finalize_variable_values(self._model.trainable_variables)

    @contextmanager
    def averaged(self, gang: Gang) -> Iterator[None]:
        """Within this the model has the moving averages, where the optimizer keeps some; after it
        the raw weights again, bit for bit, with which the training goes on.

        What is measured and remembered as the best within is what `take_averages` would export.
        """
        if not self._optimizer.use_ema:
            yield
            return
        raw = _values(self._model.trainable_variables)
        self.take_averages(gang)
        try:
            yield
        finally:
            _assign(gang, self._model.trainable_variables, raw)

    def restore_best(self, gang: Gang) -> None:
        """Give the model the best weights, if any were remembered."""
        if self.best:
            _assign(gang, self._weights, self.best)

    def resume(self, gang: Gang, folder: Folder | None) -> None:
        """Go on from the chief's newest checkpoint, on all workers.

        The chief hands it out, so that workers that share no disk resume too.

        Args:
            folder: of the checkpoints; None on workers that are not the chief.

        Raises:
            StoreUnavailable: the chief cannot read it.
            ForeignCheckpoint: it is of another model.
        """
        like = self.snapshot()
        mine = like.variables
        snapshot = None if folder is None else checkpoints.load(folder, like)
        header = gang.from_chief([_header(snapshot)])[0]
        step, closed, best, has_best, waited, stopped, weights = header
        if step == 0:
            return
        likeness = [*mine, *(mine[: len(self._weights)] if weights else [])]
        arrays = gang.from_chief(
            [*snapshot.variables, *snapshot.best] if snapshot is not None else likeness
        )
        self.step, self.closed = int(step), int(closed)
        self.patience = Patience(float(best) if has_best else None, int(waited), bool(stopped))
        self.best = arrays[len(mine) :]
        _assign(gang, self._variables, arrays[: len(mine)])


def _header(snapshot: Snapshot | None) -> NDArray[np.float64]:
    """The numbers of a snapshot; all 0 where there is none."""
    if snapshot is None:
        return np.zeros(7)
    patience = snapshot.patience
    return np.array(
        [
            snapshot.step,
            snapshot.closed,
            patience.best or 0.0,
            patience.best is not None,
            patience.waited,
            patience.stopped,
            bool(snapshot.best),
        ],
        np.float64,
    )


def _values(variables: Sequence[Any]) -> list[NDArray[Any]]:
    return [np.asarray(v.numpy()) for v in variables]


def _assign(gang: Gang, variables: Sequence[Any], values: Sequence[NDArray[Any]]) -> None:
    with gang.strategy.scope():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
