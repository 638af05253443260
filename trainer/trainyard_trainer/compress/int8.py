"""int8: weights and activations are int8, with ranges learned from representative rows.

Input and output stay float32: whoever loads the file sends the same numbers as to the original,
and the model's own quantizing of one row is faster than a caller's in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from trainyard_trainer.compress import conversion


def convert(saved_model: Path, representative: conversion.Rows) -> bytes:
    """The .tflite file.

    Args:
        saved_model: the folder.
        representative: rows of the training part, a few hundred.

    Raises:
        ConversionFailed: an operation of the model has no int8 form.
    """

    def one_by_one() -> Iterator[list[conversion.Rows]]:
        for index in range(len(representative)):
            yield [representative[index : index + 1]]

    converter = conversion.converter_of(saved_model)
    converter.optimizations = {tf.lite.Optimize.DEFAULT}
    converter.representative_dataset = one_by_one
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return conversion.convert(converter)
