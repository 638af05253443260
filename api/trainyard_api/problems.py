"""What is wrong with a job, said so that its author can mend it.

The schema sees most of it; here is what it cannot see. Nothing that a spec asks for is ever ignored
in silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from trainyard_api.cleaning_problems import find_cleaning_problems
from trainyard_api.documents import NotYaml, read_documents
from trainyard_api.locations import config_map, scheme
from trainyard_api.memo import by_identity
from trainyard_api.names import API_VERSION, KIND, MAX_JOB_NAME
from trainyard_api.not_built import find_what_is_not_built
from trainyard_api.own_program import find_what_is_missing
from trainyard_api.problem import Problem
from trainyard_api.spec import Data, TrainingJob, TrainingJobSpec
from trainyard_api.templates import find_template_problems
from trainyard_api.window_problems import find_window_problems


class InvalidJob(ValueError):
    """A job that cannot be run as it is written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(p) for p in self.problems))


def parse_job(text: str) -> TrainingJob:
    """The TrainingJob in a YAML text.

    Raises:
        InvalidJob: not YAML, not a TrainingJob, or wrong in a way that the models see.
    """
    try:
        documents = read_documents(text)
    except NotYaml as error:
        raise InvalidJob([Problem("file", str(error))]) from error
    if len(documents) != 1:
        found = f"it has {len(documents)} documents"
        raise InvalidJob([Problem("file", f"must hold one TrainingJob; {found}")])
    if not isinstance(documents[0], dict):
        found = f"it holds a {type(documents[0]).__name__}"
        raise InvalidJob([Problem("file", f"must hold one TrainingJob; {found}")])
    return parse_job_object(documents[0])


def parse_job_object(document: dict[str, Any]) -> TrainingJob:
    """The TrainingJob in an object as the Kubernetes API gives it.

    Raises:
        InvalidJob: it is wrong in a way that the models see.
    """
    if document.get("kind") != KIND or document.get("apiVersion") != API_VERSION:
        found = " ".join(str(document.get(key, "missing")) for key in ("apiVersion", "kind"))
        cure = f"write apiVersion: {API_VERSION} and kind: {KIND}"
        raise InvalidJob([Problem("apiVersion, kind", f"{found}; {cure}")])
    try:
        return TrainingJob.model_validate(document)
    except ValidationError as error:
        raise InvalidJob(explain(error)) from error


def find_problems(job: TrainingJob) -> list[Problem]:
    """What no schema can see, and what is not built yet."""
    return list(_problems_of(job.spec))


@by_identity
def _problems_of(spec: TrainingJobSpec) -> tuple[Problem, ...]:
    missing = find_what_is_missing(spec)
    return (*missing, *_rules(spec), *find_template_problems(spec), *find_what_is_not_built(spec))


def explain(error: ValidationError, *within: str) -> list[Problem]:
    """What the models see in a TrainingJob.

    Args:
        error: of validating it, or a part of it.
        within: where that part stands.
    """
    problems = []
    for detail in error.errors():
        location = (*within, *detail["loc"])
        field = ".".join(str(part) for part in location if not _is_branch(part))
        kind, given = detail["type"], detail["input"]
        if kind == "extra_forbidden":
            problems.append(Problem(field, _unknown_field(location)))
        elif kind == "missing":
            problems.append(Problem(field, "is required"))
        elif field == "metadata.name" and kind == "string_too_long":
            message = f"is too long for pod names; use at most {MAX_JOB_NAME} characters"
            problems.append(Problem(field, message))
        elif kind == "string_pattern_mismatch":
            problems.append(Problem(field, f"cannot be {given!r}. {_right_form(detail['loc'])}"))
        elif kind == "model_type":
            problems.append(Problem(field, f"is a block with fields of its own, not {given!r}"))
        else:
            wanted = detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
            problems.append(Problem(field, f"{wanted}, not {given!r}"))
    return list(dict.fromkeys(problems))


def _is_branch(part: int | str) -> bool:
    """Whether pydantic put the name of a union's branch into a path."""
    branches = ("int", "float", "str", "bool")
    return isinstance(part, str) and ("[" in part or part.removeprefix("constrained-") in branches)


def _model_of(location: tuple[int | str, ...]) -> Any:
    """The model that has the field at a location."""
    model: Any = TrainingJob
    for part in location[:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) and model else None
        model = _model_in(field.annotation) if field else model
    return model


def _right_form(location: tuple[int | str, ...]) -> str:
    """What a text has to look like, in the words of its field's description."""
    field = _model_of(location).model_fields.get(location[-1])
    return str(field.description) if field and field.description else "See the reference."


def _unknown_field(location: tuple[int | str, ...]) -> str:
    known = list(_model_of(location).model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    return f"is no field of a TrainingJob; {hint}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a)) is not None), None)


def _rules(spec: TrainingJobSpec) -> Iterator[Problem]:
    if spec.workers.command is None and spec.training.batchSize < spec.workers.replicas:
        yield Problem(
            "spec.training.batchSize",
            f"is {spec.training.batchSize} for {spec.workers.replicas} workers; it is the batch of "
            f"all workers together: make it at least {spec.workers.replicas}",
        )
    if (spec.workers.minReplicas or 0) > spec.workers.replicas:
        found = f"is {spec.workers.minReplicas}, more than replicas {spec.workers.replicas}"
        yield Problem("spec.workers.minReplicas", f"{found}; make it smaller, or leave it out")
    yield from _rules_of_data(spec.learned_data)
    yield from _rules_of_reconstruction(spec)
    if spec.model.architecture == "custom" and spec.model.custom is None:
        yield Problem("spec.model.custom", 'is required: entrypoint: "package.module:build_model"')
    for index, gate in enumerate(spec.evaluation.gates):
        field = f"spec.evaluation.gates[{index}]"
        if spec.evaluation.metrics and gate.metric not in spec.evaluation.metrics:
            yield Problem(
                f"{field}.metric",
                f"{gate.metric} is not computed; add it to spec.evaluation.metrics",
            )
        if gate.minimum is None and gate.maximum is None:
            yield Problem(field, "has no bound; set minimum (or maximum)")
        if None not in (gate.minimum, gate.maximum) and gate.minimum > gate.maximum:  # type: ignore[operator]
            yield Problem(field, "minimum is larger than maximum; nothing could pass")
    uris = {"spec.data.source.uri": spec.data.source.uri}
    uris |= {"spec.storage.uri": spec.storage.uri} if spec.storage else {}
    uris |= {"spec.code.uri": spec.code.uri} if spec.code else {}
    if spec.code is not None and config_map(spec.code.uri) is not None:
        yield from _rules_of_config_map(spec.code.uri)
    for field, uri in uris.items():
        if scheme(uri) == "file" and not uri.startswith("file:///"):
            yield Problem(field, f"{uri} is relative; write the whole path, as file:///PATH")


def _rules_of_config_map(uri: str) -> Iterator[Problem]:
    name, key = config_map(uri) or ("", "")
    if not name or not key or "/" in key:
        yield Problem(
            "spec.code.uri", f"{uri} names no key of a ConfigMap; write configmap://NAME/KEY"
        )


def _rules_of_reconstruction(spec: TrainingJobSpec) -> Iterator[Problem]:
    model, rebuilds = spec.model, spec.learned_data.task == "reconstruction"
    if model.architecture == "vae" and not rebuilds:
        yield Problem(
            "spec.data.task",
            f"is {spec.data.task}, and architecture vae learns the rows themselves; set it to "
            "reconstruction, or use another architecture",
        )
    if rebuilds and model.architecture not in _REBUILDING:
        yield Problem(
            "spec.model.architecture",
            f"{model.architecture} cannot rebuild rows; use one of: {', '.join(_REBUILDING)}",
        )
    if model.output is not None and not rebuilds:
        yield Problem(
            "spec.model.output",
            f"is {model.output}, which only models that rebuild rows have; leave it out, or set "
            "spec.data.task: reconstruction",
        )


def _rules_of_data(data: Data) -> Iterator[Problem]:
    source, split, rebuilds = data.source, data.split, data.task == "reconstruction"
    if split.validation + split.test >= 1.0:
        yield Problem("spec.data.split", "leaves nothing to train on; make the sum smaller than 1")
    if split.groups is not None and split.time is not None:
        yield Problem(
            "spec.data.split", "groups and time cannot both divide; leave one of them out"
        )
    if source.format in _TABLES and not source.labels and not rebuilds:
        yield Problem("spec.data.source.label", "is required: the column that is to be learned")
    if len(set(source.labels)) < len(source.labels):
        yield Problem("spec.data.source.label", "names a column twice; name each once")
    yield from find_window_problems(data)
    both = [name for name in source.labels if name in (source.features or ())]
    # Of a window, what the label was before is something to learn from.
    if both and data.window is None:
        yield Problem(
            "spec.data.source.features",
            f"has {both[0]}, which is the label: nothing would be left to learn; take it out",
        )
    if source.features is not None and not source.features:
        yield Problem("spec.data.source.features", "names no column; leave it out to take all")
    if data.cleaning is not None:
        yield from find_cleaning_problems(data.cleaning)
    if data.fold is not None and not data.fold.index < data.fold.of:
        yield Problem("spec.data.fold.index", "is counted from 0; make it smaller than of")
    if data.fold is not None and data.fold.of < 2:
        yield Problem("spec.data.fold.of", "a cross-validation needs two folds or more")


_REBUILDING = ("dense", "cnn", "vae")
_TABLES = ("csv", "parquet")
