"""The open inference protocol, as clients see it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

INFER = "/v2/models/digits/infer"


def body_of(images: np.ndarray, name: str, /, **changes: Any) -> dict[str, Any]:
    given = {
        "name": name,
        "shape": list(images.shape),
        "datatype": "FP32",
        "data": images.ravel().tolist(),
    }
    return {"id": "42", "inputs": [given | changes]}


@pytest.fixture
def name(service) -> str:
    return service.served.model.input.name


async def test_flat_data_is_answered_with_named_outputs(service, images, name) -> None:
    response = await service.client.post(INFER, json=body_of(images[:3], name))
    assert response.status_code == 200
    document = response.json()
    assert (document["model_name"], document["id"]) == ("digits", "42")
    (output,) = document["outputs"]
    assert (output["datatype"], output["shape"]) == ("FP32", [3, 3])
    expected = service.served.model.predict(images[:3]).ravel()
    np.testing.assert_allclose(output["data"], expected, atol=1e-6)


async def test_nested_data_and_whole_numbers_are_taken(service, images, name) -> None:
    flat = await service.client.post(INFER, json=body_of(images[:2], name))
    nested = body_of(images[:2], name, data=images[:2].astype(int).tolist(), datatype="UINT8")
    response = await service.client.post(INFER, json=nested)
    assert response.json() == flat.json()


async def test_the_metadata_says_what_to_send(service, images) -> None:
    document = (await service.client.get("/v2/models/digits")).json()
    (tensor,) = document["inputs"]
    assert (tensor["datatype"], tensor["shape"]) == ("FP32", [-1, 4, 4, 1])
    body = body_of(images[:1], tensor["name"], datatype=tensor["datatype"])
    body["outputs"] = [{"name": document["outputs"][0]["name"]}]
    assert (await service.client.post(INFER, json=body)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "pixels"}, "the model takes one, named"),
        ({"datatype": "BYTES"}, "datatype 'BYTES' is not taken; send FP32"),
        ({"datatype": "UINT8", "data": [300] * 16}, "no UINT8"),
        ({"datatype": "INT32", "data": [0.5] * 16}, "no INT32"),
        ({"data": [1.0] * 15}, "data has 15 numbers, shape [1, 4, 4, 1] has 16"),
        ({"data": []}, "data is empty"),
        ({"data": [[1.0], [2.0, 3.0]]}, "data[1] has shape [2]"),
        ({"shape": [16], "data": [1.0] * 16}, "shape has shape [16]; send shape [n, 4, 4, 1]"),
        ({"shape": [-1, 4, 4, 1]}, "'inputs[0].shape[0]'"),
        ({"shape": []}, "'inputs[0].shape'"),
    ],
)
async def test_a_wrong_input_gets_400_and_says_what_is_wrong(
    service, images, name, changes, says
) -> None:
    response = await service.client.post(INFER, json=body_of(images[:1], name, **changes))
    assert response.status_code == 400
    assert says in response.json()["error"]


async def test_an_unknown_output_gets_400_and_the_known_one(service, images, name) -> None:
    body = body_of(images[:1], name) | {"outputs": [{"name": "logits"}]}
    response = await service.client.post(INFER, json=body)
    assert response.status_code == 400
    assert service.served.model.output.name in response.json()["error"]


async def test_two_inputs_get_400(service, images, name) -> None:
    body = body_of(images[:1], name)
    body["inputs"] *= 2
    assert (await service.client.post(INFER, json=body)).status_code == 400


async def test_the_binary_extension_is_refused_by_name(service) -> None:
    headers = {"Inference-Header-Content-Length": "10"}
    response = await service.client.post(INFER, content=b"{}", headers=headers)
    assert response.status_code == 415
    assert "binary data extension" in response.json()["error"]


async def test_the_server_describes_itself(service) -> None:
    assert (await service.client.get("/v2")).json()["name"] == "trainyard"
    assert (await service.client.get("/v2/health/live")).json() == {"live": True}
    assert (await service.client.get("/v2/models/digits/ready")).status_code == 200
