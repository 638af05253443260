"""A block of convolutions with a way around them.

He et al., Deep Residual Learning for Image Recognition (2016), the basic block: what the way around
carries is added before the last activation.
"""

from __future__ import annotations

from typing import Any

import keras

from trainyard_trainer.models.hidden import Hidden


def residual(tensor: Any, filters: int, size: int, hidden: Hidden, name: str) -> Any:
    """Two convolutions and a way around them: (batch, height, width, filters).

    Args:
        tensor: (batch, height, width, channels); where channels differ from filters, the way
            around is a convolution of 1 by 1.
        size: height and width of the kernels.
    """

    def convolution(name: str, size: int, tensor: Any) -> Any:
        layer = keras.layers.Conv2D(
            filters, size, padding="same", **hidden.arguments(), name=f"{name}_convolution"
        )
        return hidden.normalized(layer(tensor), layer.name)

    inner = hidden.activated(convolution(f"{name}_first", size, tensor), f"{name}_first")
    inner = convolution(f"{name}_second", size, inner)
    around = tensor
    if tensor.shape[-1] != filters:
        around = convolution(f"{name}_around", 1, tensor)
    return hidden.activated(keras.layers.Add(name=f"{name}_sum")([inner, around]), name)
