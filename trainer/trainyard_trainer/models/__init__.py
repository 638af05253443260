"""Keras models from `spec.model`, with the scaling of their raw input inside."""

from trainyard_trainer.models.building import build
from trainyard_trainer.models.scaling import Scaling, fit_scaling, scaling_for

__all__ = ["Scaling", "build", "fit_scaling", "scaling_for"]
