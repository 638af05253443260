"""The Keras optimizer and learning-rate schedule that `spec.training` names."""

from trainyard_trainer.training.optimizers.choice import build, check

__all__ = ["build", "check"]
