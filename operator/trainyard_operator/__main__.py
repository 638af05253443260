"""`python -m trainyard_operator`: the operator of a cluster."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

import aiohttp
import kopf
from prometheus_client.registry import REGISTRY

from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.connection import connect
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.logs import configure_logging
from trainyard_operator.hands.cluster.metrics import JobCollector, serve_metrics
from trainyard_operator.hands.cluster.observer import Observer
from trainyard_operator.hands.cluster.reconciler import Reconciler
from trainyard_operator.hands.cluster.watching import build_registry, build_settings
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.settings import Settings

WORKERS = 8


async def run(settings: Settings) -> None:
    """Run the operator until SIGTERM or SIGINT."""
    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    queue: WorkQueue[Key] = WorkQueue()
    api = Api(await connect())
    async with aiohttp.ClientSession() as session:
        observer = Observer(api, session, settings.resync_seconds)
        REGISTRY.register(JobCollector(observer.phases, lambda: len(queue)))
        metrics = await serve_metrics(settings.metrics_port, ready.is_set)
        reconciler = Reconciler(api, observer, queue, settings)
        workers = [asyncio.create_task(reconciler.work()) for _ in range(WORKERS)]
        try:
            await kopf.operator(
                registry=build_registry(queue, observer),
                settings=build_settings(settings.watch_namespace),
                standalone=True,
                clusterwide=not settings.watch_namespace,
                namespaces=[settings.watch_namespace] if settings.watch_namespace else [],
                stop_flag=stop,
                ready_flag=ready,
            )
        finally:
            for worker in workers:
                worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*workers)
            await metrics.cleanup()
            await api.close()


def main() -> None:
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
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
