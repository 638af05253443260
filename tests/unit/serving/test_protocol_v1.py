"""The V1 protocol, as clients see it."""

from __future__ import annotations

import json

import numpy as np
import pytest

PREDICT = "/v1/models/digits:predict"
ROW = np.arange(16).reshape(4, 4, 1).tolist()


async def test_instances_are_answered_in_their_order(service, images) -> None:
    response = await service.client.post(PREDICT, json={"instances": images[:40].tolist()})
    assert response.status_code == 200
    expected = service.served.model.predict(images[:40])
    np.testing.assert_allclose(response.json()["predictions"], expected, atol=1e-6)


async def test_a_large_request_is_answered_too(service, images) -> None:
    many = np.tile(images, (14, 1, 1, 1))
    response = await service.client.post(PREDICT, json={"instances": many.tolist()})
    assert len(response.json()["predictions"]) == 980


async def test_images_may_come_without_their_channel(service, images) -> None:
    with_channel = await service.client.post(PREDICT, json={"instances": images[:2].tolist()})
    without = await service.client.post(PREDICT, json={"instances": images[:2, :, :, 0].tolist()})
    assert without.status_code == 200
    assert without.json() == with_channel.json()


async def test_a_row_of_the_wrong_shape_gets_400_and_says_the_right_shape(service) -> None:
    response = await service.client.post(PREDICT, json={"instances": [[[1.0, 2.0]]]})
    assert response.status_code == 400
    message = response.json()["error"]
    assert "instances has shape [1, 1, 2]" in message
    assert "[n, 4, 4, 1]" in message
    assert "[n, 4, 4], without the channel" in message


async def test_a_single_image_without_a_list_around_it_says_that_a_list_is_wanted(service) -> None:
    response = await service.client.post(PREDICT, json={"instances": ROW})
    assert response.status_code == 400
    assert "a row for each of n examples" in response.json()["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1, 2]", "must be a JSON object with the keys: instances"),
        (b"null", "must be a JSON object"),
        (b"{}", "'instances' is missing"),
        (b'{"instances": []}', "instances is empty"),
        (b'{"instances": [[]]}', "holds empty lists"),
        (b'{"instances": {"a": 1}}', "'instances': input should be a valid array"),
        (b'{"inputs": [[1]]}', "'inputs' is not known"),
        (b'{"instances": [[1, 2], [3]]}', "instances[1] has shape [1], instances[0] has shape [2]"),
        (b'{"instances": [[[1, 2]], [[3], [4, 5]]]}', "instances[1][1] has shape [2]"),
        (b'{"instances": [1, [2]]}', "ragged"),
        (b'{"instances": [["seven"]]}', "instances[0][0] is text; send numbers"),
        (b'{"instances": [["1.5"]]}', "instances[0][0] is text; send numbers"),
        (b'{"instances": [[1, null]]}', "instances[0][1] is null; send numbers"),
        (b'{"instances": [[true]]}', "is true or false"),
        (b'{"instances": [{"features": 1}]}', "instances[0] is an object"),
        (b'{"instances": [[1' + b"0" * 100 + b"]]}", "more than 64 bits"),
        (b'{"instances": [[1]], "signature_name": "train"}', "'signature_name'"),
    ],
)
async def test_a_wrong_body_gets_400_and_says_what_is_wrong(service, body, says) -> None:
    response = await service.client.post(PREDICT, content=body)
    assert response.status_code == 400
    assert says in response.json()["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e39", "1e999"])
async def test_a_number_that_is_not_finite_gets_400(service, number) -> None:
    body = json.dumps({"instances": [ROW]}).replace("15", number)
    response = await service.client.post(PREDICT, content=body.encode())
    assert response.status_code == 400
    assert "NaN, Infinity or a number too large for float32" in response.json()["error"]


async def test_another_models_name_gets_404_and_the_name_that_is_served(service) -> None:
    for method, path in [
        ("POST", "/v1/models/cats:predict"),
        ("GET", "/v1/models/cats"),
        ("POST", "/v2/models/cats/infer"),
        ("GET", "/v2/models/cats"),
        ("GET", "/v2/models/cats/ready"),
    ]:
        response = await service.client.request(method, path, json={"instances": [ROW]})
        assert response.status_code == 404
        assert "'digits' is" in response.json()["error"]


async def test_the_models_are_listed_and_described(service) -> None:
    assert (await service.client.get("/v1/models")).json() == {"models": ["digits"]}
    described = (await service.client.get("/v1/models/digits")).json()
    assert described["ready"] is True
    assert described["model_version_status"][0]["version"] == "1-abc"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PREDICT),
        ("PUT", PREDICT),
        ("GET", "/v2/models/digits/infer"),
        ("POST", "/v1/models"),
    ],
)
async def test_the_wrong_method_gets_405_and_says_which_is_taken(service, method, path) -> None:
    response = await service.client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"]
    assert "takes" in response.json()["error"]
