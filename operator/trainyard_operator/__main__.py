"""`python -m trainyard_operator`: the operator of a cluster."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import uvloop

from trainyard_operator.hands.cluster.connection import NotConfigured, connect
from trainyard_operator.hands.cluster.lease import LeadershipLost
from trainyard_operator.hands.cluster.logs import configure_logging
from trainyard_operator.hands.cluster.operator import Operator
from trainyard_operator.settings import Settings

log = logging.getLogger(__name__)


async def run(settings: Settings) -> int:
    """Run the operator until SIGTERM or SIGINT; the exit code."""
    try:
        operator = Operator(await connect(), settings)
    except NotConfigured as error:
        log.error("%s", error)
        return 1
    async with operator.serving_health():
        running = asyncio.create_task(operator.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        try:
            await running
        except asyncio.CancelledError:
            log.info("told to stop")
            return 0
        except LeadershipLost as error:
            log.error("another operator acts from now on: %s", error)
            return 1
        finally:
            await operator.close()
    return 0


def main() -> int:
    """Read the settings and run."""
    fields = "\n".join(
        f"  TRAINYARD_{name.upper()}={field.default}  {field.description}"
        for name, field in Settings.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m trainyard_operator",
        description="The Trainyard operator. It is set by environment variables:",
        epilog=fields,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    settings = Settings()
    configure_logging(settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(settings))


if __name__ == "__main__":
    sys.exit(main())
