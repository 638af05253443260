"""The ASGI application: both protocols, probes, metrics, and errors as JSON."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from trainyard_api.names import PATH_METRICS
from trainyard_serving import protocol_v1, protocol_v2
from trainyard_serving.observation import Observation
from trainyard_serving.readiness import Readiness
from trainyard_serving.refusals import Refusal
from trainyard_serving.served import Served

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def build_app(served: Served, readiness: Readiness) -> ASGIApp:
    """The application that answers for `served`."""

    async def index(_: Request) -> Response:
        name = served.name
        return JSONResponse(
            {
                "model": name,
                "revision": served.revision,
                "predict": f"/v1/models/{name}:predict",
                "infer": f"/v2/models/{name}/infer",
                "metadata": f"/v2/models/{name}",
                "metrics": PATH_METRICS,
            }
        )

    async def live(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": readiness.ready}, 200 if readiness.ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(served.metrics.render(), media_type=_METRICS_TYPE)

    app = Starlette(
        routes=[
            Route("/", index),
            Route("/healthz/live", live),
            Route("/healthz/ready", ready),
            Route(PATH_METRICS, metrics),
            *protocol_v1.build_routes(served),
            *protocol_v2.build_routes(served, readiness),
        ],
        exception_handlers={
            Refusal: _refused,
            HTTPException: _not_routed,
            ClientDisconnect: _went_away,
            Exception: _failed,
        },
    )
    return Observation(app, served.metrics, readiness)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse({"error": error.message}, error.status, error.headers)


def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path}"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{asked}: this path takes {allowed}"
    else:
        message = f"{asked} is not known; GET / says where to ask"
    return JSONResponse({"error": message}, error.status_code, error.headers)


def _went_away(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


def _failed(_: Request, __: Exception) -> Response:
    # Starlette raises the exception again after this, and uvicorn logs it.
    return JSONResponse({"error": "the model failed; the log says why"}, 500)
