"""Metrics on the test part."""

from trainyard_trainer.evaluation.classification import check, measure

__all__ = ["check", "measure"]
