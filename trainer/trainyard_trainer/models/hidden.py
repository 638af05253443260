"""What every hidden layer has in common: penalties, normalisation, activation, dropout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import keras

from trainyard_api.spec import Model, Regularization
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.normalization import batch_normalization


@dataclass(frozen=True)
class Hidden:
    """How a hidden layer is made and what follows it.

    Attributes:
        synchronized: whether batch normalisation goes by the rows of all replicas.
    """

    activation: str
    regularization: Regularization
    synchronized: bool

    @classmethod
    def of(cls, spec: Model, synchronized: bool) -> Hidden:
        """As `spec` says."""
        return cls(spec.activation, spec.regularization, synchronized)

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the Keras layer. Batch normalisation has a bias of its own."""
        return {
            "use_bias": not self.regularization.batchNormalization,
            "kernel_regularizer": self.regularizer(),
        }

    def regularizer(self) -> keras.regularizers.Regularizer | None:
        """The penalty on kernels."""
        l1, l2 = self.regularization.l1, self.regularization.l2
        return keras.regularizers.L1L2(l1=l1, l2=l2) if l1 or l2 else None

    def dense(self, tensor: Any, width: int, name: str) -> Any:
        """A whole fully connected layer, (batch, width)."""
        layer = keras.layers.Dense(width, **self.arguments(), name=name)
        return self.finish(layer(tensor), name)

    def dense_layers(self, tensor: Any, units: Iterable[int], name: str = "dense") -> Any:
        """Whole fully connected layers, one after another: (batch, last width)."""
        for index, width in enumerate(units):
            tensor = self.dense(tensor, width, f"{name}_{index}")
        return tensor

    def finish(self, tensor: Any, name: str) -> Any:
        """Normalisation, activation and dropout after the layer called `name`."""
        return self.dropped(self.activated(self.normalized(tensor, name), name), name)

    def normalized(self, tensor: Any, name: str) -> Any:
        """Batch normalisation after the layer called `name`, where it is asked for."""
        if not self.regularization.batchNormalization:
            return tensor
        return batch_normalization(self.synchronized, f"{name}_normalization")(tensor)

    def activated(self, tensor: Any, name: str) -> Any:
        """The activation after the layer called `name`."""
        return keras.layers.Activation(self.activation, name=f"{name}_activation")(tensor)

    def dropped(self, tensor: Any, name: str) -> Any:
        """Dropout after the layer called `name`, where it is asked for."""
        if not self.regularization.dropout:
            return tensor
        return keras.layers.Dropout(self.regularization.dropout, name=f"{name}_dropout")(tensor)


_NO_ACTIVATIONS: Final = ("get", "serialize", "deserialize")
_HALVING: Final = "glu"
"""It halves what a layer gives, which is no activation of a layer alone."""


def check_activation(name: str) -> None:
    """Make sure that Keras has an activation of that name, and one that keeps the width.

    Raises:
        InvalidSpec: it has none.
    """
    known = sorted(
        each
        for each in dir(keras.activations)
        if each.islower() and not each.startswith("_") and each not in (*_NO_ACTIVATIONS, _HALVING)
    )
    if name not in known:
        raise InvalidSpec(
            f"spec.model.activation: {name} is no activation of a Keras layer; use one of: "
            + ", ".join(known)
        )
