"""Examples: from where `spec.data` says they are to the three parts of a training."""

from trainyard_trainer.data.dataset import Dataset, Part
from trainyard_trainer.data.loading import load

__all__ = ["Dataset", "Part", "load"]
