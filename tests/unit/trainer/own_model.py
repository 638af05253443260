"""A model of one's own, with a layer of one's own, as an image may bring it."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):  # type: ignore[misc]
    """Two dense layers, one of which bends what the other gives."""

    def __init__(self, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.width = width
        self.straight = keras.layers.Dense(width)
        self.bent = keras.layers.Dense(width, "tanh")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.straight.build(shape)
        self.bent.build(shape)

    def call(self, rows: Any) -> Any:
        return self.straight(rows) * self.bent(rows)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"width": self.width}


def build_model(input_shape: tuple[int, ...], outputs: int, width: int) -> keras.Model:
    inputs = keras.Input(input_shape)
    rows = Doubled(width)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs, "softmax")(rows))
