"""`python -m trainyard_serving`: loads the model, then answers until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trainyard_api import environment
from trainyard_api.exit_codes import ExitCode
from trainyard_api.listening import host_port, listen
from trainyard_api.locations import UnsupportedLocation, local_path
from trainyard_api.names import TERMINATION_LOG
from trainyard_serving.app import build_app
from trainyard_serving.model import Model, ModelRejected
from trainyard_serving.readiness import Readiness
from trainyard_serving.served import Served
from trainyard_serving.server import Ending, end_at_once_on_signals, serve
from trainyard_serving.settings import InvalidSettings, Settings, read_settings

if TYPE_CHECKING:
    from trainyard_api.results import FailureReason

logger = logging.getLogger("trainyard_serving")


def main() -> int:
    """Runs the process; returns its exit code."""
    end_at_once_on_signals()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if sys.argv[1:] == ["fetch"]:
        return _fetch()
    try:
        settings = read_settings(sys.argv[1:], os.environ)
        model = Model.load(
            local_path(settings.model_uri), settings.model_sha256, settings.threads + 1
        )
    except (InvalidSettings, UnsupportedLocation) as error:
        return _give_up(error, "InvalidSpec", ExitCode.INVALID)
    except ModelRejected as error:
        return _give_up(error, "ModelRejected", ExitCode.INVALID)
    try:
        return _run(settings, model)
    except OSError as error:
        where = host_port(settings.host, settings.port)
        logger.error("cannot listen on %s: %s", where, error.strerror)
        return ExitCode.FAILED


def _run(settings: Settings, model: Model) -> int:
    served = Served(
        model, settings.model_name, settings.revision, settings.limits, settings.threads
    )
    readiness = Readiness()
    ending = Ending(settings.drain_seconds, settings.grace_seconds)
    with listen(settings.host, settings.port) as sock:
        logger.info("serving %s, revision %s", served.name, served.revision)
        asyncio.run(serve(build_app(served, readiness), readiness, sock, ending))
    logger.info("ended")
    return ExitCode.OK


def _fetch() -> int:
    from trainyard_serving.fetch import NotFetched, fetch

    try:
        logger.info("the model is in %s", fetch(os.environ))
    except InvalidSettings as error:
        return _give_up(error, "InvalidSpec", ExitCode.INVALID)
    except NotFetched as error:
        return _give_up(error, error.reason, error.exit_code)
    return ExitCode.OK


def _give_up(error: Exception, reason: FailureReason, code: ExitCode) -> int:
    """Says what is wrong, also where Kubernetes shows it, and gives the exit code."""
    # Only a failing start pays for loading the models of the documents.
    from trainyard_api.results import Failure, TerminationMessage

    logger.error("%s", error)
    message = TerminationMessage(failure=Failure(reason=reason, message=str(error)))
    path = Path(os.environ.get(environment.TERMINATION_LOG, TERMINATION_LOG))
    if environment.TERMINATION_LOG in os.environ or path.exists():
        path.write_text(message.encode())
    return code


if __name__ == "__main__":
    sys.exit(main())
