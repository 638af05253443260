"""The compression stage: smaller models, each measured with the runtime that will serve it.

A technique turns the SavedModel into a .tflite file; `techniques` lists them. `choose` decides
which one wins, over plain numbers.
"""

from trainyard_trainer.compress.stage import run

__all__ = ["run"]
