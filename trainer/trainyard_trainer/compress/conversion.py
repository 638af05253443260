"""What all techniques have in common: LiteRT's converter, and how it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Rows = NDArray[np.float32]
"""Raw rows as the model takes them, shape (rows, *input)."""


class ConversionFailed(Exception):
    """A technique cannot convert this model; the message is the converter's."""


def converter_of(saved_model: Path) -> Any:
    """LiteRT's converter for a SavedModel's serving signature."""
    return tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=["serving_default"]
    )


def convert(converter: Any) -> bytes:
    """The .tflite file that `converter` makes.

    Raises:
        ConversionFailed: it cannot.
    """
    try:
        content: bytes = converter.convert()
    # The converter raises nearly anything; what it is must not matter to the other techniques.
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise ConversionFailed(f"{type(error).__name__}: {first}") from error
    return content
