"""The last word of a pod: the termination message, which the operator reads from its status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from trainyard_api import environment, names
from trainyard_api.results import Failure, TerminationMessage
from trainyard_trainer.errors import TrainerError

_log = logging.getLogger(__name__)


def write(message: TerminationMessage, environ: Mapping[str, str]) -> None:
    """Write `message` to the termination log.

    A file that cannot be written is logged and does not change how the program ends: its exit
    code still tells the operator what happened.
    """
    path = Path(environ.get(environment.TERMINATION_LOG) or names.TERMINATION_LOG)
    try:
        path.write_text(message.encode())
    except OSError as error:
        _log.error("the termination message was not written to %s: %s", path, error)


def write_failure(error: TrainerError, environ: Mapping[str, str]) -> None:
    """Write why the program gives up."""
    write(TerminationMessage(failure=Failure(reason=error.reason, message=str(error))), environ)
