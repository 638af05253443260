"""Rows as callers have them, encoded inside the SavedModel."""

from trainyard_trainer.export.raw.signature import RawRows, raw_rows

__all__ = ["RawRows", "raw_rows"]
