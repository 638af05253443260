"""Answers for the programs of all pods when the operator asks how far they are."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

from aiohttp import web

from trainyard_api.names import PATH_PROGRESS, PORT_HTTP
from trainyard_api.status import Progress

STEPS = 100_000
STEPS_A_SECOND = 50


@contextlib.asynccontextmanager
async def serve_progress(address: str) -> AsyncIterator[None]:
    """Serves a progress that goes on by the clock, so that every look finds another one."""
    begun = time.monotonic()

    async def answer(_request: web.Request) -> web.Response:
        step = int((time.monotonic() - begun) * STEPS_A_SECOND) % STEPS
        return web.json_response(_progress(step).to_dict())

    app = web.Application()
    app.router.add_get(PATH_PROGRESS, answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, PORT_HTTP).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _progress(step: int) -> Progress:
    return Progress(
        percent=step * 100 // STEPS,
        epoch=1,
        epochs=1,
        step=step,
        steps=STEPS,
        metrics={"loss": round(1 / (step + 1), 6)},
        secondsLeft=(STEPS - step) // STEPS_A_SECOND,
    )
