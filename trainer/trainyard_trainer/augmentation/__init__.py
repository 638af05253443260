"""`spec.data.augmentation`: rows of the training part, changed anew in every step.

It happens inside the graph, in each replica, to the raw rows before the model and its scaling.
Neither validation, evaluation nor the exported model know of it.
"""

from trainyard_trainer.augmentation.augmentation import Augmentation
from trainyard_trainer.augmentation.checks import check, note

__all__ = ["Augmentation", "check", "note"]
