"""A model in service: its name, its limits, and the way of a prediction through the process.

Bodies are read in the event loop. A prediction that takes a moment happens in a thread, so that
it does not keep the probes waiting; one that is over at once happens in the loop, because the way
into a thread and back (0.2 ms) would be most of its latency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod

from starlette.requests import Request
from starlette.responses import Response

from trainyard_api.encoding import encoder_of
from trainyard_serving.admission import Admission
from trainyard_serving.body import read_body
from trainyard_serving.metrics import Metrics
from trainyard_serving.model import Model
from trainyard_serving.refusals import Refusal
from trainyard_serving.settings import Limits
from trainyard_serving.tensor import Array

_SMALL_BODY = 32 * 1024
"""Bytes that are parsed within a millisecond."""
_LARGE_BODY = 1024 * 1024
"""Bytes from which bodies are parsed one after another: parsed, a number needs ten times its text,
and two at once would take no less time but twice the memory."""
_AT_ONCE = 0.001
"""Seconds of computing that the event loop can spare."""


class Served:
    """One model under one name.

    Args:
        model: the loaded model, with an interpreter for each thread and one for the event loop.
        name: under which it answers.
        revision: what clients are told of its version.
        limits: what the process takes on at most.
        threads: larger predictions that are computed side by side.
    """

    def __init__(
        self, model: Model, name: str, revision: str, limits: Limits, threads: int
    ) -> None:
        self.model = model
        self.name = name
        self.revision = revision
        self.limits = limits
        self.encoder = None if model.contract is None else encoder_of(model.contract.input)
        self.metrics = Metrics(name, revision, model.sha256)
        self._admission = Admission(limits.max_in_flight, limits.max_body_bytes)
        self.metrics.in_flight.set_function(lambda: self._admission.in_flight)
        self._one_large_body = asyncio.Semaphore(1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="predict")

    def check_name(self, name: str) -> None:
        """Refuses another model's name (404)."""
        if name != self.name:
            raise Refusal(404, f"model {name!r} is not served here; {self.name!r} is")

    def predict(self, rows: Array) -> Array:
        """The model's answer to rows of its shape and type; see Model.predict."""
        self.metrics.rows.observe(len(rows))
        return self.model.predict(rows)

    async def answer(self, request: Request, decide: Callable[[bytes], bytes]) -> Response:
        """Reads a request's body and answers with what `decide` makes of it, in a thread.

        Args:
            request: not read yet.
            decide: from the body to the JSON of the answer; it may raise Refusal.

        Raises:
            Refusal: too large, too slow, too busy, or what `decide` refuses.
        """
        with self._admission.admit() as ticket:
            body = await read_body(request, ticket)
            if self._is_over_at_once(len(body)):
                content = decide(body)
            elif len(body) <= _LARGE_BODY:
                content = await self._in_thread(decide, body)
            else:
                async with self._one_large_body:
                    content = await self._in_thread(decide, body)
        return Response(content, media_type="application/json")

    async def _in_thread(self, decide: Callable[[bytes], bytes], body: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, decide, body)
        except Refusal as refusal:
            # Its traceback would keep the parsed body until the refusal has been sent.
            raise refusal.with_traceback(None) from None

    def _is_over_at_once(self, body_bytes: int) -> bool:
        """Whether a body of that size can only hold rows that are soon computed."""
        shortest_row = 2 * prod(self.model.input.shape)  # a digit and a comma for each number
        seconds = body_bytes / shortest_row * self.model.row_seconds
        return body_bytes <= _SMALL_BODY and seconds <= _AT_ONCE
