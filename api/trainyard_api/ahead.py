"""Specs with fields that this version does not know.

A CRD is upgraded before the operator that reads by it, so the defaults of a later version are in
every job for a while. They are no reason to stop what runs.
"""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from trainyard_api.problems import InvalidJob, explain
from trainyard_api.spec import TrainingJobSpec


def parse_known(spec: dict[str, Any]) -> tuple[TrainingJobSpec, tuple[str, ...]]:
    """The part of a spec that this version knows, and the fields that it does not.

    Args:
        spec: as the API server has it.

    Raises:
        InvalidJob: what it knows of the spec is wrong.
    """
    try:
        return TrainingJobSpec.model_validate(spec), ()
    except ValidationError as error:
        known, unknown = _without_unknown(spec, error)
        if not unknown:
            raise InvalidJob(explain(error, "spec")) from error
    try:
        return TrainingJobSpec.model_validate(known), unknown
    except ValidationError as error:
        raise InvalidJob(explain(error, "spec")) from error


def _without_unknown(
    spec: dict[str, Any], error: ValidationError
) -> tuple[dict[str, Any], tuple[str, ...]]:
    known, unknown = copy.deepcopy(spec), []
    for detail in error.errors(include_url=False, include_context=False):
        if detail["type"] == "extra_forbidden" and (path := _remove(known, detail["loc"])):
            unknown.append(".".join(["spec", *path]))
    return known, tuple(dict.fromkeys(unknown))


def _remove(document: Any, location: tuple[int | str, ...]) -> list[str]:
    """Remove a field; its path, without the names of a union's branches."""
    path: list[str] = []
    for part in location[:-1]:
        if isinstance(part, int) or (isinstance(document, dict) and part in document):
            document = document[part]
        else:
            continue
        path.append(str(part))
    field = location[-1]
    if not isinstance(document, dict) or field not in document:
        return []
    del document[field]
    return [*path, str(field)]
