"""dynamic_range: int8 weights; activations are quantized anew for each request."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from trainyard_trainer.compress import conversion


def convert(saved_model: Path, representative: conversion.Rows) -> bytes:
    """The .tflite file; `representative` is not needed.

    Raises:
        ConversionFailed: the converter refuses the model.
    """
    del representative
    converter = conversion.converter_of(saved_model)
    converter.optimizations = {tf.lite.Optimize.DEFAULT}
    return conversion.convert(converter)
