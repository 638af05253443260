"""The spec of a TrainingJob, a module for each block of it."""

from trainyard_api.spec.cleaning import Cleaning, LabelErrors, Missing, Outliers
from trainyard_api.spec.code import Callback, Code
from trainyard_api.spec.compression import Compression, Technique
from trainyard_api.spec.data import Data, Fold, Generation, Split, Window
from trainyard_api.spec.evaluation import Evaluation, Gate, MetricName
from trainyard_api.spec.explanation import Explanation
from trainyard_api.spec.job import Metadata, TrainingJob, TrainingJobSpec
from trainyard_api.spec.model import Model, Regularization
from trainyard_api.spec.run_policy import RunPolicy
from trainyard_api.spec.search import Search
from trainyard_api.spec.serving import Serving
from trainyard_api.spec.storage import Storage
from trainyard_api.spec.training import Training
from trainyard_api.spec.workers import Workers

__all__ = [
    "Callback",
    "Cleaning",
    "Code",
    "Compression",
    "Data",
    "Evaluation",
    "Explanation",
    "Fold",
    "Gate",
    "Generation",
    "LabelErrors",
    "Metadata",
    "MetricName",
    "Missing",
    "Model",
    "Outliers",
    "Regularization",
    "RunPolicy",
    "Search",
    "Serving",
    "Split",
    "Storage",
    "Technique",
    "Training",
    "TrainingJob",
    "TrainingJobSpec",
    "Window",
    "Workers",
]
