"""What the operator tells this pod, read once from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from trainyard_api import environment, names
from trainyard_api.listening import ALL_ADDRESSES
from trainyard_api.peers import WrongPeers, tf_config_of
from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer.errors import InvalidSpec


@dataclass(frozen=True)
class Pod:
    """This pod: which job it works for, and which part of the work is its own.

    Attributes:
        storage: URI of the run's folder.
        model_uri: URI of the model to compress; None in training pods.
        model_sha256: digest that the model at `model_uri` must have; None: not given.
        prepared_uri: URI of the rows that a later stage goes by; None: it divides the source.
        prepared_sha256: digest that the folder at `prepared_uri` must have.
        workers: addresses (host:port) of the gang's workers by index; empty without a gang.
        index: this pod's index in `workers`; 0 is the chief.
    """

    job: str
    namespace: str
    run: str
    attempt: int
    spec: TrainingJobSpec
    storage: str
    model_uri: str | None
    model_sha256: str | None
    prepared_uri: str | None
    prepared_sha256: str | None
    host: str
    port: int
    workers: tuple[str, ...]
    index: int
    environ: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many workers train together, this one included."""
        return max(1, len(self.workers))

    @property
    def is_chief(self) -> bool:
        """Whether this pod writes the store and reports the result."""
        return self.index == 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Pod:
        """The pod that `environ` describes (see `trainyard_api.environment`).

        Raises:
            InvalidSpec: a variable is missing or cannot be read.
        """
        workers, index = _gang(_tf_config(environ))
        return cls(
            job=_required(environ, environment.JOB),
            namespace=environ.get(environment.NAMESPACE, "default"),
            run=_required(environ, environment.RUN),
            attempt=_number(environ, environment.ATTEMPT, 1),
            spec=_spec(_required(environ, environment.SPEC)),
            storage=_required(environ, environment.STORAGE),
            model_uri=environ.get(environment.MODEL_URI) or None,
            model_sha256=environ.get(environment.MODEL_SHA256) or None,
            prepared_uri=environ.get(environment.PREPARED_URI) or None,
            prepared_sha256=environ.get(environment.PREPARED_SHA256) or None,
            host=environ.get(environment.HOST) or ALL_ADDRESSES,
            port=_number(environ, environment.PORT, names.PORT_HTTP),
            workers=workers,
            index=index,
            environ=environ,
        )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise InvalidSpec(f"environment: {name} is not set; the operator sets it in every pod")
    return value


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise InvalidSpec(f"environment: {name} must be a whole number, not {text!r}")
    return int(text)


def _spec(text: str) -> TrainingJobSpec:
    try:
        return TrainingJobSpec.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["spec", *(str(part) for part in first["loc"])])
        raise InvalidSpec(f"{field}: {first['msg']} (read from {environment.SPEC})") from error


def _tf_config(environ: Mapping[str, str]) -> str:
    try:
        return tf_config_of(environ)
    except WrongPeers as error:
        raise InvalidSpec(f"environment: {error}") from error


def _gang(text: str) -> tuple[tuple[str, ...], int]:
    """The workers' addresses and this one's index in a TF_CONFIG; nobody where it is empty."""
    if not text:
        return (), 0
    try:
        config: dict[str, Any] = json.loads(text)
        workers = tuple(str(address) for address in config["cluster"]["worker"])
        kind, index = str(config["task"]["type"]), int(config["task"]["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSpec(
            f"environment: {environment.TF_CONFIG} must be "
            '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": N}}; '
            f"it is {text[:200]!r}"
        ) from error
    for address in workers:
        host, _, port = address.rpartition(":")
        if not port.isdigit() or (":" in host and not host.startswith("[")):
            raise InvalidSpec(
                f"environment: {environment.TF_CONFIG} has the address {address!r}; "
                "addresses are HOST:PORT, or [HOST]:PORT with an address of IPv6"
            )
    if kind != "worker" or not 0 <= index < len(workers):
        raise InvalidSpec(
            f"environment: {environment.TF_CONFIG} names task {kind} {index}, "
            f"and there are {len(workers)} workers"
        )
    return workers, index
