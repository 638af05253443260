"""What a training leaves in the store: the model in its formats, and the result."""

from trainyard_trainer.export.contract import contract_of
from trainyard_trainer.export.finished import finished_result, keep_result
from trainyard_trainer.export.models import export_model

__all__ = ["contract_of", "export_model", "finished_result", "keep_result"]
