"""The learning rate that is found by a short sweep: `learningRate: auto`."""

from trainyard_trainer.training.sweep.finding import found_rate

__all__ = ["found_rate"]
