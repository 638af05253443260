"""What a restart goes on from: a training's state as plain data, as bytes, and on the disk."""

from trainyard_trainer.training.checkpoints.files import load, save

__all__ = ["load", "save"]
