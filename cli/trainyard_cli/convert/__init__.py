"""From a TFJob of Kubeflow to a TrainingJob: documents in, documents and notes out, no I/O."""

from trainyard_cli.convert.job import convert
from trainyard_cli.convert.outcome import Converted, NotConvertible, Note

__all__ = ["Converted", "NotConvertible", "Note", "convert"]
