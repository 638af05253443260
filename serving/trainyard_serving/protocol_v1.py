"""The V1 protocol: TensorFlow Serving's REST predictions, which is also KServe's V1.

POST /v1/models/NAME:predict   {"instances": [row, ...]} -> {"predictions": [answer, ...]}
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainyard_serving.parsing import parse
from trainyard_serving.rows import check_rows, encode, shifted, to_array, to_rows
from trainyard_serving.served import Served


class PredictRequest(BaseModel):
    """The body of a prediction."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Any]
    signature_name: Literal["serving_default"] = "serving_default"


def predict(served: Served, body: bytes) -> bytes:
    """The answer to the body of a prediction; not finite numbers in it are null.

    Raises:
        Refusal: 400 or 413.
    """
    instances = parse(PredictRequest, body).instances
    check_rows(len(instances), served.limits.max_rows, "instances")
    if served.encoder is not None:
        rows = encode(instances, served.encoder, "instances")
    else:
        numbers = shifted(to_array(instances, "instances"), served.model.contract)
        rows = to_rows(numbers, served.model.input, "instances")
    return to_json({"predictions": served.predict(rows).tolist()})


def build_routes(served: Served) -> list[Route]:
    """The routes of the protocol."""

    async def list_models(_: Request) -> Response:
        return JSONResponse({"models": [served.name]})

    async def describe_model(request: Request) -> Response:
        name = request.path_params["name"]
        if name.endswith(":predict"):
            raise HTTPException(405, "Method Not Allowed", {"Allow": "POST"})
        served.check_name(name)
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": served.revision, "state": "AVAILABLE", "status": status}
        return JSONResponse({"name": name, "ready": True, "model_version_status": [version]})

    async def answer(request: Request) -> Response:
        served.check_name(request.path_params["name"])
        return await served.answer(request, lambda body: predict(served, body))

    return [
        Route("/v1/models", list_models),
        Route("/v1/models/{name}:predict", answer, methods=["POST"]),
        Route("/v1/models/{name}", describe_model),
    ]
