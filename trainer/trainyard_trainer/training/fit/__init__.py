"""Fitting a model to rows: an engine that knows of no pod, no job and no file format."""

from trainyard_trainer.training.fit.fitting import Fitted, Fitting, Surroundings, fit

__all__ = ["Fitted", "Fitting", "Surroundings", "fit"]
