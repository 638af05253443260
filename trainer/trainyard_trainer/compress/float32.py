"""float32: the weights as they were trained, only in LiteRT's format."""

from __future__ import annotations

from pathlib import Path

from trainyard_trainer.compress import conversion


def convert(saved_model: Path, representative: conversion.Rows) -> bytes:
    """The .tflite file; `representative` is not needed.

    Raises:
        ConversionFailed: LiteRT cannot express the model.
    """
    del representative
    return conversion.convert(conversion.converter_of(saved_model))
