"""The techniques by the names that `spec.compression.techniques` gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from trainyard_trainer.compress import dynamic_range, float16, float32, int8
from trainyard_trainer.compress.choose import FALLBACK
from trainyard_trainer.compress.conversion import Rows

Technique: TypeAlias = Callable[[Path, Rows], bytes]
"""From a SavedModel's folder and representative rows to a .tflite file; may raise
ConversionFailed."""

TECHNIQUES: Final[Mapping[str, Technique]] = {
    FALLBACK: float32.convert,
    "float16": float16.convert,
    "dynamic_range": dynamic_range.convert,
    "int8": int8.convert,
}
