"""From a request's bytes to its document, or a Refusal that names what is wrong."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from trainyard_serving.refusals import Refusal

Document = TypeVar("Document", bound=BaseModel)

_SHOWN = 3


def parse(document: type[Document], body: bytes) -> Document:
    """The document in a JSON body.

    Raises:
        Refusal: 400; not JSON, a missing, unknown or wrong key.
    """
    try:
        return document.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        keys = ", ".join(document.model_fields)
        problems = [
            _explain(detail["type"], _path(detail["loc"]), detail["msg"], keys)
            for detail in details[:_SHOWN]
        ]
        raise Refusal(400, "; ".join(problems)) from error


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".")


def _explain(kind: str, path: str, message: str, keys: str) -> str:
    if kind == "json_invalid":
        return f"the body is not JSON: {message.removeprefix('Invalid JSON: ')}"
    if kind == "missing":
        return f"{path!r} is missing"
    if kind == "extra_forbidden":
        return f"{path!r} is not known; the body's keys are: {keys}"
    if not path:
        return f"the body must be a JSON object with the keys: {keys}"
    return f"{path!r}: {message[:1].lower()}{message[1:]}"
