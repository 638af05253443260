"""Keras models from `spec.model`, with the scaling of their raw input inside."""

from trainyard_trainer.models.building import build
from trainyard_trainer.models.scaling import Scaling, scaling_for, scaling_of

__all__ = ["Scaling", "build", "scaling_for", "scaling_of"]
