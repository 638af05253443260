"""A serving endpoint, asked over HTTP."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from trainyard_cli.errors import CliError

_TIMEOUT: Final = httpx.Timeout(10.0)
_PATIENCE_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Endpoint:
    """A model behind an address."""

    url: str
    """Address of the server, without a path."""
    model: str

    @property
    def prediction_url(self) -> str:
        """Address of a prediction."""
        return f"{self.url.rstrip('/')}/v1/models/{self.model}:predict"

    def example(self) -> Any:
        """A row to try it with: what the endpoint proposes for its table, or zeros of its shape."""
        document = _get(f"{self.url.rstrip('/')}/v2/models/{self.model}")
        try:
            taken = document["inputs"][0]
            proposed = taken.get("parameters", {}).get("example")
            return proposed or _zeros([int(size) for size in taken["shape"][1:]])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise CliError(
                f"{self.url} describes {self.model} without its input's shape"
            ) from error

    def predict(self, body: str) -> list[Any]:
        """The predictions for the body of a request, a row each."""
        headers = {"Content-Type": "application/json"}
        response = _send("POST", self.prediction_url, content=body, headers=headers)
        try:
            return list(response["predictions"])
        except (KeyError, TypeError) as error:
            raise CliError(f"{self.prediction_url} answered without predictions") from error


def request_body(rows: list[Any]) -> str:
    """The body of a request for predictions of `rows`."""
    return json.dumps({"instances": rows})


def _zeros(shape: list[int]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0


def find_endpoint(url: str) -> Endpoint:
    """The endpoint at an address: of a server, of a model, or of a prediction.

    Raises:
        CliError: nothing answers there, or the server has several models.
    """
    base, found, rest = url.partition("/v1/models/")
    if found and rest:
        return Endpoint(base, rest.removesuffix(":predict").strip("/"))
    models = _get(f"{url.rstrip('/')}/v1/models").get("models", [])
    if len(models) != 1:
        listed = ", ".join(models) or "none"
        raise CliError(f"{url} has these models: {listed}; name one: {url}/v1/models/NAME")
    return Endpoint(url.rstrip("/"), models[0])


def wait_until_answering(endpoint: Endpoint) -> Any:
    """Wait for an endpoint that has just come up; a row to try it with when it answers.

    Raises:
        CliError: it does not answer in time.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return endpoint.example()
        except CliError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def _get(url: str) -> dict[str, Any]:
    return _send("GET", url)


def _send(method: str, url: str, **arguments: Any) -> dict[str, Any]:
    """The JSON object that answers a request.

    The environment's proxies are left out: an endpoint of one's own is not behind them.
    """
    try:
        with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
            response = client.request(method, url, **arguments)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CliError(f"{url} does not answer: {error}") from error
    if response.status_code != httpx.codes.OK:
        text = response.text.strip()[:500]
        raise CliError(f"{url} answered {response.status_code}: {text}")
    try:
        document = response.json()
    except ValueError as error:
        raise CliError(f"{url} answered, but not with JSON") from error
    return document if isinstance(document, dict) else {}
