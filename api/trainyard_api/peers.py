"""The workers of a gang in a few bytes, however many they are.

TF_CONFIG names every worker, and Linux takes no environment variable longer than 128 KiB: a
thousand workers with long names would not start. Their names differ in the index alone, so
the pattern, their count and this worker's index say the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from trainyard_api.environment import PEERS, TF_CONFIG
from trainyard_api.model import Document

INDEX: Final = "{index}"
"""Stands for a worker's index in a pattern."""
LONGEST_VARIABLE: Final = 128 * 1024
"""Bytes of NAME=VALUE and its end, above which no program can be started (MAX_ARG_STRLEN)."""


class WrongPeers(ValueError):
    """The text is no gang; the message says what is wrong."""


class Peers(Document):
    """The workers of a gang, and which of them this one is.

    >>> Peers(pattern="a-{index}.gang.default.svc:2222", count=2, index=1).addresses()
    ['a-0.gang.default.svc:2222', 'a-1.gang.default.svc:2222']
    """

    pattern: Annotated[str, Field(max_length=512)] = Field(
        description="Address (HOST:PORT) of each worker, with {index} for its index."
    )
    count: Annotated[int, Field(ge=1, le=100_000)] = Field(description="How many there are.")
    index: Annotated[int, Field(ge=0)] = Field(description="Which of them this one is.")
    portStep: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0, description="By how much the port grows from one worker to the next."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.pattern.count(INDEX) != 1:
            raise ValueError(f"pattern must have {INDEX} once, and is {self.pattern!r}")
        if self.portStep and not self.pattern.rpartition(":")[2].isdecimal():
            raise ValueError(f"pattern must end in a port, and is {self.pattern!r}")
        if self.index >= self.count:
            raise ValueError(f"index {self.index} is none of {self.count} workers")
        return self

    def addresses(self) -> list[str]:
        """The address of each worker, by index."""
        host, _, port = self.pattern.rpartition(":")
        if not self.portStep:
            return [self.pattern.replace(INDEX, str(index)) for index in range(self.count)]
        return [
            f"{host.replace(INDEX, str(index))}:{int(port) + index * self.portStep}"
            for index in range(self.count)
        ]

    def tf_config(self) -> dict[str, Any]:
        """The same as TensorFlow reads it."""
        task = {"type": "worker", "index": self.index}
        return {"cluster": {"worker": self.addresses()}, "task": task}

    def encode(self) -> str:
        """The value of TRAINYARD_PEERS."""
        return self.model_dump_json(exclude_defaults=True)


def parse_peers(text: str) -> Peers:
    """The gang in a value of TRAINYARD_PEERS.

    Raises:
        WrongPeers: it is none.
    """
    try:
        return Peers.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([PEERS, *map(str, first["loc"])])
        raise WrongPeers(f"{field}: {first['msg'].removeprefix('Value error, ')}") from error


def tf_config_of(environ: Mapping[str, str]) -> str:
    """The TF_CONFIG of a process: its own, or what its TRAINYARD_PEERS means; "" without both.

    Raises:
        WrongPeers: TRAINYARD_PEERS cannot be read.
    """
    if config := environ.get(TF_CONFIG):
        return config
    peers = environ.get(PEERS)
    return json.dumps(parse_peers(peers).tf_config()) if peers else ""


def can_be_inherited(name: str, value: str) -> bool:
    """Whether programs can still be started with this variable in the environment."""
    return len(f"{name}={value}".encode()) < LONGEST_VARIABLE
