"""What every architecture answers."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.models.hidden import Hidden
from trainyard_trainer.models.scaling import Scaling


class Architecture(Protocol):
    """A kind of model, between the scaled input and the task's head."""

    def check(self, spec: Model, schema: Schema) -> None:
        """Make sure that `body` will succeed, without touching TensorFlow's devices.

        Raises:
            InvalidSpec: it does not fit the data.
        """

    def body(self, spec: Model, scaled: Any, hidden: Hidden) -> Any:
        """The last hidden tensor, (batch, width), of what the first layer takes."""


@runtime_checkable
class Preparing(Protocol):
    """An architecture whose first layer takes something else than `inputs.of_rows`."""

    def prepared(self, spec: Model, schema: Schema, scaling: Scaling, inputs: Any) -> Any:
        """What `body` is given, of raw rows: float32 (batch, *schema.shape)."""
