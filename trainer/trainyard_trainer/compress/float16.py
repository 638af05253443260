"""float16: weights of half the size, unpacked to float32 when the model is loaded."""

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
    converter.target_spec.supported_types = [tf.float16]
    return conversion.convert(converter)
