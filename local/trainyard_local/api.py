"""Asks the API server: is it ready, is the node, and a few objects to put there.

A client of a few lines, because starting one waits for nothing else and `up` on a running cluster
is to answer at once.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard_local.addresses import Addresses
from trainyard_local.errors import ClusterError
from trainyard_local.places import Places

FIELD_MANAGER = "trainyard-cluster"
Json = Mapping[str, object]


class Unreachable(ClusterError):
    """The API server does not answer."""


@dataclass(frozen=True)
class Answer:
    """What the API server answered."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> dict[str, object]:
        """Returns the body as an object."""
        content = json.loads(self.body)
        if not isinstance(content, dict):
            raise ClusterError("the API server answered with something else than an object")
        return content


class Api:
    """A connection for each question, with the administrator's certificate.

    Args:
        pki: the folder of the certificates.
        addresses: of the cluster.
        timeout: seconds that one question may take.
    """

    def __init__(self, pki: Path, addresses: Addresses, timeout: float = 5.0) -> None:
        self._host = addresses.node_ip
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    @classmethod
    def of(cls, places: Places, addresses: Addresses, timeout: float = 5.0) -> Api:
        """Returns a client for the cluster.

        Raises:
            ClusterError: the cluster has no certificates yet.
        """
        try:
            return cls(places.pki, addresses, timeout)
        except (OSError, ssl.SSLError) as error:
            raise ClusterError(
                f"the certificates in {places.pki} cannot be read ({error}); "
                "'trainyard cluster up' makes new ones"
            ) from error

    def get(self, path: str) -> Answer:
        """Asks for a path.

        Raises:
            Unreachable: nobody answers.
        """
        return self._ask("GET", path, None, None)

    def is_ready(self) -> bool:
        """Returns whether the API server serves, storage included."""
        try:
            return self.get("/readyz").status == 200
        except Unreachable:
            return False

    def apply(self, path: str, content: Json) -> None:
        """Makes an object what `content` says (a server-side apply).

        Args:
            path: of the object itself.
            content: the object.

        Raises:
            ClusterError: it was refused; the message has the reason.
        """
        target = f"{path}?fieldManager={FIELD_MANAGER}&force=true"
        self._change(target, content, "application/apply-patch+yaml")

    def patch(self, path: str, content: list[dict[str, object]]) -> None:
        """Changes an object by a JSON patch.

        Raises:
            ClusterError: it was refused; the message has the reason.
        """
        self._change(path, content, "application/json-patch+json")

    def _change(self, path: str, content: object, kind: str) -> None:
        answer = self._ask("PATCH", path, json.dumps(content).encode(), kind)
        if not answer.is_good:
            said = answer.body.decode(errors="replace")
            with contextlib.suppress(ValueError):
                said = str(json.loads(said).get("message", said))
            raise ClusterError(f"the API server refused {path.partition('?')[0]}: {said}")

    def _ask(self, method: str, path: str, body: bytes | None, kind: str | None) -> Answer:
        connection = http.client.HTTPSConnection(
            self._host, 6443, timeout=self._timeout, context=self._tls
        )
        headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"the API server at {self._host} does not answer ({error}); "
                "see 'trainyard cluster status', and start it by 'trainyard cluster up'"
            ) from error
        finally:
            connection.close()
