"""The Keras optimizer and learning-rate schedule that `spec.training` names."""

from trainyard_trainer.training.optimizers.choice import (
    accumulated,
    build,
    check,
    check_length,
    overwritten_every,
)

__all__ = ["accumulated", "build", "check", "check_length", "overwritten_every"]
