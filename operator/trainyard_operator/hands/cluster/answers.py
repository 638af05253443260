"""What the API server answers: objects, events, or that it will not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from trainyard_operator.brain.plan import Manifest

_GONE = 410


class ApiError(Exception):
    """The API server said no.

    Attributes:
        status: of HTTP.
        reason: one word, such as Conflict.
        retry_after: seconds after which the API server wants to be asked again, if it said so.
    """

    def __init__(
        self, status: int, reason: str, message: str, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"{status} {reason}: {message}")

    @property
    def ordinary(self) -> bool:
        """Whether this is part of a cluster's life: things change, vanish, and are limited."""
        ending = self.status == 403 and "is being terminated" in str(self)
        return ending or self.status in (404, 409, 429)


class Expired(ApiError):
    """The API server no longer knows the past from which it was to go on: list again."""


class ApiUnavailable(Exception):
    """The API server did not answer, or something between us and it did in its place."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """What a watch says.

    Attributes:
        type: ADDED, MODIFIED, DELETED, or BOOKMARK: all up to its resourceVersion has been told.
        object: after the change; the last state of a deleted one.
    """

    type: str
    object: Manifest


def parse_answer(data: bytes) -> Manifest:
    """The JSON object that the API server sent.

    Raises:
        ApiUnavailable: it is none, so something else has answered.
    """
    try:
        answer = orjson.loads(data)
    except ValueError as error:
        raise ApiUnavailable(f"the answer is no JSON: {data[:200]!r}") from error
    if not isinstance(answer, dict):
        raise ApiUnavailable(f"the answer is no object: {data[:200]!r}")
    return answer


def parse_event(line: bytes) -> WatchEvent:
    """The event of a line of a watch.

    Raises:
        Expired, ApiError: the line says that the watch has failed.
        ApiUnavailable: it is no event.
    """
    event = parse_answer(line)
    kind, manifest = event.get("type"), event.get("object")
    if not isinstance(kind, str) or not isinstance(manifest, dict):
        raise ApiUnavailable(f"the watch sent no event: {line[:200]!r}")
    if kind == "ERROR":
        raise _error(int(manifest.get("code") or 500), manifest)
    return WatchEvent(kind, manifest)


def parse_refusal(response: aiohttp.ClientResponse, data: bytes) -> ApiError:
    """The error that a response is; what is no Status (a proxy's page) becomes its message."""
    try:
        said: Any = orjson.loads(data)
    except ValueError:
        said = None
    status = said if isinstance(said, dict) else {"message": data[:500].decode(errors="replace")}
    after = response.headers.get("Retry-After", "")
    return _error(response.status, status, float(after) if after.isdecimal() else None)


def _error(code: int, status: Manifest, retry_after: float | None = None) -> ApiError:
    kind = Expired if code == _GONE else ApiError
    reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
    return kind(code, reason, message, retry_after)
