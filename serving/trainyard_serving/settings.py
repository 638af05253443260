"""What a serving process is told: by environment variables what to serve, by options its limits."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainyard_api import environment
from trainyard_api.listening import ALL_ADDRESSES
from trainyard_api.names import PORT_SERVING, VOLUMES_ROOT

_DESCRIPTION = "Serve one LiteRT model by the V1 and the V2 (open inference) REST protocol."
_ENVIRONMENT = f"""\
environment variables:
  {environment.MODEL_URI}     the .tflite file: pvc://CLAIM/PATH or file:///PATH (required)
  {environment.MODEL_SHA256}  sha256 that the file must have (required)
  {environment.MODEL_NAME}    name under which the model answers (required)
  {environment.RUN}           revision to report; default: the first 12 digits of the sha256
  {environment.HOST}          address to listen on; default all
  {environment.PORT}          port to listen on; default {PORT_SERVING}; 0: any free one
  {environment.VOLUMES}       folder below which claims are mounted; default {VOLUMES_ROOT}

exit codes:
  0    ended by SIGTERM or SIGINT, all requests answered
  1    it cannot listen on its address
  2    a variable, an option or the model is wrong: the message says which and why
  143  ended at once by a second SIGTERM (130: SIGINT)
"""


class InvalidSettings(ValueError):
    """An environment variable is missing or wrong; the message says what to set."""


@dataclass(frozen=True)
class Limits:
    """What one process takes on at most."""

    max_body_bytes: int = 16 * 1024 * 1024
    max_rows: int = 1024
    max_in_flight: int = 64


@dataclass(frozen=True)
class Settings:
    """All that a serving process is told."""

    model_uri: str
    model_sha256: str
    model_name: str
    revision: str
    host: str
    port: int
    limits: Limits
    threads: int
    drain_seconds: float
    grace_seconds: float


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """The settings in a command line and an environment.

    Raises:
        InvalidSettings: a variable is missing or wrong.
        SystemExit: --help (0), or an option is wrong (2).
    """
    options = _parser().parse_args(arguments)
    required = (environment.MODEL_URI, environment.MODEL_SHA256, environment.MODEL_NAME)
    if missing := [name for name in required if not environ.get(name)]:
        raise InvalidSettings(f"set {', '.join(missing)}; --help explains the variables")
    sha256 = environ[environment.MODEL_SHA256].lower()
    return Settings(
        model_uri=environ[environment.MODEL_URI],
        model_sha256=sha256,
        model_name=environ[environment.MODEL_NAME],
        revision=environ.get(environment.RUN) or sha256[:12],
        host=environ.get(environment.HOST) or ALL_ADDRESSES,
        port=_port(environ.get(environment.PORT) or str(PORT_SERVING)),
        limits=Limits(options.max_body_bytes, options.max_rows, options.max_in_flight),
        threads=options.threads,
        drain_seconds=options.drain_seconds,
        grace_seconds=options.grace_seconds,
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise InvalidSettings(f"{environment.PORT} is {text!r}; set a number from 0 to 65535")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainyard_serving",
        description=_DESCRIPTION,
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    limits = Limits()
    whole, seconds = _whole_number, _seconds
    add = parser.add_argument
    add(
        "--max-body-bytes",
        type=whole,
        metavar="N",
        default=limits.max_body_bytes,
        help="largest body of a request; larger ones get 413 (default: %(default)s)",
    )
    add(
        "--max-rows",
        type=whole,
        metavar="N",
        default=limits.max_rows,
        help="most rows of a request; more get 413 (default: %(default)s)",
    )
    add(
        "--max-in-flight",
        type=whole,
        metavar="N",
        default=limits.max_in_flight,
        help="most requests at once; further ones get 429 (default: %(default)s)",
    )
    add(
        "--threads",
        type=whole,
        metavar="N",
        default=2,
        help="large requests computed side by side (default: %(default)s)",
    )
    add(
        "--drain-seconds",
        type=seconds,
        metavar="S",
        default=3.0,
        help="after SIGTERM: time not ready but still accepting, until the cluster has taken "
        "the pod out of its Service (default: %(default)s)",
    )
    add(
        "--grace-seconds",
        type=seconds,
        metavar="S",
        default=20.0,
        help="after that: time for requests in flight to end (default: %(default)s)",
    )
    return parser


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 3600:
        raise argparse.ArgumentTypeError("must be from 0 to 3600")
    return number
