"""Counts what the operator asked the API server for, by the server's own notes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READS = frozenset({"get", "list"})
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
REFUSED = 400
"""HTTP answers from here on are refusals."""


@dataclass(frozen=True)
class Request:
    """A kind of request.

    Attributes:
        verb: get, list, watch, create, update, patch, delete or deletecollection.
        resource: with its subresource (`pods/status`), or the path of what is no resource.
        code: the HTTP answer where it is a refusal, else 0.
    """

    verb: str
    resource: str
    code: int = 0

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f" {self.code}" if self.code else "")


class Requests(Counter[Request]):
    """How many there were of each kind; refused ones are requests too."""

    def of(self, verbs: Iterable[str]) -> int:
        """Returns the number of those with one of the verbs."""
        wanted = frozenset(verbs)
        return sum(number for request, number in self.items() if request.verb in wanted)

    def per(self, jobs: int) -> dict[str, float]:
        """Returns each kind's number a job, the most frequent first."""
        return {str(request): round(number / jobs, 3) for request, number in self.most_common()}

    def by_name(self) -> dict[str, int]:
        """Returns each kind's number, the most frequent first."""
        return {str(request): number for request, number in self.most_common()}


def count(lines: Iterable[str | bytes]) -> Requests:
    """Counts the requests in lines of an audit log.

    A watch counts when it begins, for its end may be far; all others count when they are answered.
    """
    found = Requests()
    for line in lines:
        note = json.loads(line)
        begins = note["stage"] == "ResponseStarted"
        if begins == (note["verb"] == "watch"):
            found[_request(note)] += 1
    return found


def _request(note: dict[str, Any]) -> Request:
    what = note.get("objectRef") or {}
    resource = what.get("resource") or note["requestURI"].partition("?")[0]
    if what.get("subresource"):
        resource = f"{resource}/{what['subresource']}"
    code = note.get("responseStatus", {}).get("code", 0)
    return Request(note["verb"], resource, code if code >= REFUSED else 0)


class AuditLog:
    """The log, read on from where it was left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def new(self) -> Requests:
        """Returns the requests since the last call, or since the log was opened."""
        if not self._path.exists():
            return Requests()
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return count(whole.splitlines())
