"""Keras callbacks of the author's own, at the ends of epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np

from trainyard_api.spec import Callback
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.own_code import EntryPoint, within_reason
from trainyard_trainer.training.gang import Gang

_CALLED: Final = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")
"""Steps are many in one call of the graph, and Python is not asked between them."""


class Callbacks:
    """Calls them on every worker, as Keras does, in the gang's scope.

    What they keep for themselves is not in checkpoints: after a restart they begin anew, at the
    epoch that the training goes on with.
    """

    def __init__(self, wanted: Sequence[Callback], gang: Gang) -> None:
        """Raises:
        InvalidSpec: one of them is no callback, or wants to be called within epochs.
        """
        self._gang = gang
        self._made = [_made(index, callback) for index, callback in enumerate(wanted)]
        self._model: keras.Model | None = None

    def begin(self, model: keras.Model, *, epochs: int, steps: int) -> None:
        """The training begins, or goes on.

        Args:
            epochs: how many there are at most.
            steps: of an epoch.
        """
        self._model = model
        params = {"epochs": epochs, "steps": steps, "verbose": 0}

        def begin(callback: keras.callbacks.Callback) -> None:
            callback.set_params(params)
            callback.set_model(model)
            callback.on_train_begin()

        self._each(begin)

    def epoch_begins(self, epoch: int) -> None:
        """Args:
        epoch: from 0.
        """
        self._each(lambda callback: callback.on_epoch_begin(epoch))

    def epoch_ends(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Returns:
        Whether one of them has set `model.stop_training`, on the chief, by whom all go.
        """
        if not self._made or self._model is None:
            return False
        self._each(lambda callback: callback.on_epoch_end(epoch, dict(logs)))
        stops = bool(getattr(self._model, "stop_training", False))
        return bool(self._gang.from_chief([np.array([stops], np.float32)])[0][0])

    def end(self) -> None:
        """The training has ended by itself."""
        self._each(lambda callback: callback.on_train_end())

    def _each(self, call: Callable[[keras.callbacks.Callback], None]) -> None:
        for entry, callback in self._made:
            with self._gang.strategy.scope(), within_reason(f"{entry.field}: {entry.name}"):
                entry.guarded(lambda callback=callback: call(callback))  # type: ignore[misc]


def _made(index: int, wanted: Callback) -> tuple[EntryPoint, keras.callbacks.Callback]:
    field = f"spec.training.callbacks[{index}]"
    entry = EntryPoint(f"{field}.entrypoint", wanted.entrypoint, f"{field}.arguments")
    made = entry.call(wanted.arguments)
    if not isinstance(made, keras.callbacks.Callback):
        raise InvalidSpec(
            f"{entry.field}: {entry.name} is {type(made).__name__}, and no keras.callbacks.Callback"
        )
    if others := _called_elsewhere(made):
        raise InvalidSpec(
            f"{entry.field}: {entry.name} has {', '.join(others)}, and many steps are one call of "
            f"the graph here: what is called is {', '.join(_CALLED)}"
        )
    return entry, made


def _called_elsewhere(callback: Any) -> list[str]:
    base = keras.callbacks.Callback
    hooks = [name for name in dir(base) if name.startswith("on_") and name not in _CALLED]
    return [name for name in hooks if getattr(type(callback), name) is not getattr(base, name)]
