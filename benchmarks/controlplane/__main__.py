"""`python -m benchmarks.controlplane`: measures the operator; prints one JSON line.

Needs root, and starts a cluster of its own; what it is doing goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import FrameType

import uvloop

from benchmarks.controlplane import gang, scale, throughput
from benchmarks.controlplane.api import Object
from benchmarks.controlplane.board import Stalled
from benchmarks.controlplane.stand import Pods, Stand, started_stand
from benchmarks.controlplane.subject import SubjectLost

Work = Callable[[Stand], Coroutine[None, None, Object]]


@dataclass(frozen=True)
class Measurement:
    """What was asked for: what the nodes are to do, and what is measured on them."""

    pods: Pods
    work: Work


def _throughput(given: argparse.Namespace) -> Measurement:
    load = throughput.Load(given.jobs, given.rate)
    return Measurement(
        Pods(given.pod_seconds, given.progress), lambda stand: throughput.measure(stand, load)
    )


def _scale(given: argparse.Namespace) -> Measurement:
    crowd = scale.Crowd(given.jobs, given.others, given.idle_seconds, given.progress)
    pods = Pods(seconds=None, progress=given.progress)
    return Measurement(pods, lambda stand: scale.measure(stand, crowd))


def _gang(given: argparse.Namespace) -> Measurement:
    wanted = gang.Gang(given.workers)
    return Measurement(Pods(seconds=None), lambda stand: gang.measure(stand, wanted))


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line; `plan` is what makes a measurement of it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.controlplane", description=(__doc__ or "").splitlines()[0]
    )
    commands = parser.add_subparsers(required=True, dest="command")
    command = commands.add_parser("throughput", help=throughput.__doc__)
    command.add_argument("--jobs", type=int, default=200)
    command.add_argument("--rate", type=float, help="jobs a second; default: as fast as it goes")
    command.add_argument("--pod-seconds", type=float, default=1.0, help="how long a pod runs")
    command.add_argument("--progress", action="store_true", help="pods tell how far they are")
    command.set_defaults(plan=_throughput)
    command = commands.add_parser("scale", help=scale.__doc__)
    command.add_argument("--jobs", type=int, default=5000)
    command.add_argument("--others", type=int, default=10000, help="pods that are not ours")
    command.add_argument("--idle-seconds", type=float, default=60.0, help="how long it rests")
    command.add_argument("--progress", action="store_true", help="pods tell how far they are")
    command.set_defaults(plan=_scale)
    command = commands.add_parser("gang", help=gang.__doc__)
    command.add_argument("--workers", type=int, default=1000)
    command.set_defaults(plan=_gang)
    return parser


async def until_stopped(work: Coroutine[None, None, Object]) -> Object:
    """Does the work until SIGTERM or Ctrl-C."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Measures."""
    given = build_parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _stop)
    asked: Measurement = given.plan(given)
    try:
        with started_stand(asked.pods) as stand:
            figures = uvloop.run(until_stopped(asked.work(stand)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
    except (Stalled, SubjectLost) as error:
        sys.exit(f"controlplane: {error}")
    head = {"benchmark": f"controlplane {given.command}", "cores": os.cpu_count()}
    print(json.dumps({**head, **figures}))


if __name__ == "__main__":
    main()
