"""A model, a loss and a callback that Trainyard does not have."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable("own-code")
class GatedBlock(keras.layers.Layer):
    """Half of a dense layer opens and closes the other half (Dauphin et al., 2017), beside a way
    around them.
    """

    def __init__(self, width: int, **more: object) -> None:
        super().__init__(**more)
        self.width = width
        self.values = keras.layers.Dense(width)
        self.gates = keras.layers.Dense(width, activation="sigmoid")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.values.build(shape)
        self.gates.build(shape)

    def call(self, rows):
        return rows + self.values(rows) * self.gates(rows)

    def get_config(self) -> dict[str, object]:
        return super().get_config() | {"width": self.width}


def build_model(input_shape: tuple[int, ...], outputs: int, width: int = 64, blocks: int = 2):
    """What `model.custom.entrypoint` names.

    Args:
        input_shape: of a row, after scaling; Trainyard tells it.
        outputs: how many classes there are; Trainyard tells it.
        width, blocks: from `model.custom.arguments`.
    """
    inputs = keras.Input(input_shape)
    last = keras.layers.Dense(width)(keras.layers.Flatten()(inputs))
    for _ in range(blocks):
        last = GatedBlock(width)(last)
    return keras.Model(inputs, keras.layers.Dense(outputs, activation="softmax")(last))


def confident(targets, outputs, share: float = 0.1):
    """Cross-entropy, with a reward for an answer that is sure of itself: a number for each row."""
    entropy = -keras.ops.sum(outputs * keras.ops.log(outputs + 1e-7), axis=-1)
    return keras.losses.categorical_crossentropy(targets, outputs) + share * entropy


class GoodEnough(keras.callbacks.Callback):
    """Ends the training with the first epoch that reaches an accuracy."""

    def __init__(self, accuracy: float) -> None:
        super().__init__()
        self.accuracy = accuracy

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if (logs or {}).get("val_accuracy", 0.0) >= self.accuracy:
            print(f"good enough after {epoch + 1} epochs", flush=True)
            self.model.stop_training = True
