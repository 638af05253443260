"""What a training leaves in the store: the model in its formats, and the result."""

from trainyard_trainer.export.contract import contract_of
from trainyard_trainer.export.exported import Exported, exported
from trainyard_trainer.export.finished import finished_result, keep_result
from trainyard_trainer.export.models import export_model

__all__ = ["Exported", "contract_of", "export_model", "exported", "finished_result", "keep_result"]
