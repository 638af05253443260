"""What a spec may ask for that this version does not build yet: refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trainyard_api.locations import scheme
from trainyard_api.problem import Problem
from trainyard_api.spec import TrainingJobSpec

_BUILT_FORMATS = ("auto", "idx", "npz", "csv", "parquet", "images", "tfrecord", "text")
_BUILT_SOURCES = ("file", "pvc", "s3", "gs", "az", "https", "keras", "sklearn", "none")
_BUILT_STORES = ("file", "pvc", "s3", "gs", "az")
_BUILT_TECHNIQUES = ("float16", "dynamic_range", "int8")


def find_what_is_not_built(spec: TrainingJobSpec) -> Iterator[Problem]:
    """Fields of it, each with the cure."""
    yield from _not_built_data(spec)
    if spec.compression is not None:
        techniques = spec.compression.techniques
        yield from _among("spec.compression.techniques", techniques, _BUILT_TECHNIQUES)
    if spec.storage is not None:
        yield from _one_of("spec.storage.uri", scheme(spec.storage.uri), _BUILT_STORES)
    yield from _absent("spec.search", spec.search)
    yield from _absent("spec.explanation", spec.explanation)
    yield from _absent("spec.runPolicy.queueName", spec.runPolicy.queueName)
    yield from _not_built_serving(spec)


def _not_built_data(spec: TrainingJobSpec) -> Iterator[Problem]:
    data = spec.data
    yield from _one_of("spec.data.source.uri", scheme(data.source.uri), _BUILT_SOURCES)
    yield from _one_of("spec.data.source.format", data.source.format, _BUILT_FORMATS)


def _not_built_serving(spec: TrainingJobSpec) -> Iterator[Problem]:
    serving = spec.serving
    if serving is None:
        return
    yield from _absent("spec.serving.autoscaling", serving.autoscaling)
    yield from _absent("spec.serving.batching", serving.batching)
    yield from _absent("spec.serving.rollout.steps", serving.rollout.steps or None)
    yield from _absent("spec.serving.rollout.gates", serving.rollout.gates)
    yield from _absent("spec.serving.rollout.gateway", serving.rollout.gateway)
    yield from _one_of("spec.serving.backend", serving.backend, ("deployment",))


def _one_of(field: str, value: str, built: Sequence[str]) -> Iterator[Problem]:
    return _among(field, [value], built)


def _among(field: str, values: Sequence[str], built: Sequence[str]) -> Iterator[Problem]:
    if unknown := [value for value in values if value not in built]:
        verb = "is" if len(unknown) == 1 else "are"
        message = f"{', '.join(unknown)} {verb} not built yet; choose from: {', '.join(built)}"
        yield Problem(field, message)


def _absent(field: str, value: object) -> Iterator[Problem]:
    if value is not None:
        yield Problem(field, "is not built yet; leave it out")
