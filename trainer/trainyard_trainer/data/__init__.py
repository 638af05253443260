"""Examples: from where `spec.data` says they are to the three parts of a training."""

from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.loading import load
from trainyard_trainer.data.rows import Part, Rows, RowSource

__all__ = ["Dataset", "Part", "RowSource", "Rows", "load"]
