"""The V2 protocol: the open inference protocol over REST, as Triton and KServe speak it.

POST /v2/models/NAME/infer   {"inputs": [{"name", "shape", "datatype", "data"}]}
                          -> {"outputs": [{"name", "shape", "datatype", "data"}]}
"""

from __future__ import annotations

from importlib.metadata import version
from math import prod
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainyard_api.contract import Contract
from trainyard_api.example import example_of
from trainyard_serving.parsing import parse
from trainyard_serving.readiness import Readiness
from trainyard_serving.refusals import Refusal
from trainyard_serving.rows import check_rows, describe_shape, shifted, to_array, to_rows
from trainyard_serving.served import Served
from trainyard_serving.tensor import Array, TensorSpec

_DATATYPES = {
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
}
_NAMES = {name: datatype for datatype, name in _DATATYPES.items()}

Size = Annotated[int, Field(ge=0, le=2**31)]


class InferInput(BaseModel):
    """One input: its data may be flat or nested, row-major."""

    model_config = ConfigDict(extra="forbid")

    name: str
    shape: Annotated[list[Size], Field(min_length=1, max_length=32)]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class RequestedOutput(BaseModel):
    """An output that the client wants."""

    model_config = ConfigDict(extra="forbid")

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(BaseModel):
    """The body of a prediction."""

    model_config = ConfigDict(extra="forbid")

    inputs: list[InferInput]
    id: str | None = None
    outputs: list[RequestedOutput] = []
    parameters: dict[str, Any] = {}


def infer(served: Served, body: bytes) -> bytes:
    """The answer to the body of a prediction; not finite numbers in it are null.

    Raises:
        Refusal: 400 or 413.
    """
    request = parse(InferRequest, body)
    spec, output = served.model.input, served.model.output
    if len(request.inputs) != 1 or request.inputs[0].name != spec.name:
        given = [each.name for each in request.inputs]
        raise Refusal(400, f"inputs are {given}; the model takes one, named {spec.name!r}")
    for wanted in request.outputs:
        if wanted.name != output.name:
            raise Refusal(400, f"output {wanted.name!r} is not known; {output.name!r} is")
    answer = served.predict(_rows(request.inputs[0], served))
    document = {
        "model_name": served.name,
        "model_version": served.revision,
        "outputs": [
            {
                "name": output.name,
                "shape": list(answer.shape),
                "datatype": _NAMES[output.dtype.name],
                "data": answer.ravel().tolist(),
            }
        ],
    }
    return to_json(document if request.id is None else document | {"id": request.id})


def _rows(given: InferInput, served: Served) -> Array:
    spec, most = served.model.input, served.limits.max_rows
    if given.datatype not in _DATATYPES:
        raise Refusal(
            400, f"datatype {given.datatype!r} is not taken; send {_NAMES[spec.dtype.name]}"
        )
    check_rows(given.shape[0], most, "shape")
    array = to_array(given.data, "data")
    if array.size != prod(given.shape):
        raise Refusal(
            400,
            f"data has {array.size} numbers, shape {given.shape} has {prod(given.shape)}; "
            f"the model takes {describe_shape(spec.shape)}",
        )
    stated = np.dtype(_DATATYPES[given.datatype])
    if stated.kind != "f":
        bounds = np.iinfo(stated)
        if array.dtype.kind == "f" or array.min() < bounds.min or array.max() > bounds.max:
            raise Refusal(400, f"data holds numbers that are no {given.datatype}")
    rows = shifted(array.reshape(given.shape), served.model.contract)
    return to_rows(rows, spec, "shape")


def build_routes(served: Served, readiness: Readiness) -> list[Route]:
    """The routes of the protocol."""

    async def describe_server(_: Request) -> Response:
        return JSONResponse(
            {"name": "trainyard", "version": version("trainyard"), "extensions": []}
        )

    async def live(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": readiness.ready}, 200 if readiness.ready else 503)

    async def model_ready(request: Request) -> Response:
        name = request.path_params["name"]
        served.check_name(name)
        document = {"name": name, "ready": readiness.ready}
        return JSONResponse(document, 200 if readiness.ready else 503)

    async def describe_model(request: Request) -> Response:
        served.check_name(request.path_params["name"])
        return JSONResponse(
            {
                "name": served.name,
                "versions": [served.revision],
                "platform": "litert",
                "inputs": [_tensor(served.model.input) | _example(served.model.contract)],
                "outputs": [_tensor(served.model.output) | _meaning(served.model.contract)],
            }
        )

    async def answer(request: Request) -> Response:
        served.check_name(request.path_params["name"])
        return await served.answer(request, lambda body: infer(served, body))

    return [
        Route("/v2", describe_server),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
        Route("/v2/models/{name}", describe_model),
        Route("/v2/models/{name}/ready", model_ready),
        Route("/v2/models/{name}/infer", answer, methods=["POST"]),
    ]


def _meaning(contract: Contract | None) -> dict[str, dict[str, Any]]:
    """Names of the classes, labels or numbers, in the order of the output, and what else there is
    to know of answers: what they are compared with, and what a model that rebuilds rows answers.
    """
    if contract is None:
        return {}
    output = contract.output
    further = {"threshold": output.threshold, "answers": output.answers}
    told = {name: value for name, value in further.items() if value is not None}
    return {"parameters": {"labels": output.names} | told}


def _example(contract: Contract | None) -> dict[str, dict[str, Any]]:
    """A row of a table by the columns' names, or a window of such rows, as V1 takes it."""
    if contract is None or not contract.input.columns:
        return {}
    return {"parameters": {"example": example_of(contract.input)}}


def _tensor(spec: TensorSpec) -> dict[str, str | list[int]]:
    datatype = _NAMES[spec.dtype.name]
    return {"name": spec.name, "datatype": datatype, "shape": [-1, *spec.shape]}
