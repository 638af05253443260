"""Cleaning of the training part: what is found is counted, listed, and done away with if asked.

Validation and test stay as people will send rows, so that what is measured on them is true.
"""

from trainyard_trainer.data.cleaning.apply import clean

__all__ = ["clean"]
