"""Probes and metrics."""

from __future__ import annotations

import numpy as np

PREDICT = "/v1/models/digits:predict"


async def test_a_draining_process_is_not_ready_but_still_answers(service, images) -> None:
    body = {"instances": images[:1].tolist()}
    assert (await service.client.get("/healthz/ready")).status_code == 200
    service.readiness.drain()
    for path in ["/healthz/ready", "/v2/health/ready", "/v2/models/digits/ready"]:
        assert (await service.client.get(path)).status_code == 503
    assert (await service.client.get("/healthz/live")).status_code == 200
    response = await service.client.post(PREDICT, json=body)
    assert response.status_code == 200
    assert response.headers["connection"] == "close"


async def test_requests_are_counted_by_protocol_and_code(service, images) -> None:
    await service.client.post(PREDICT, json={"instances": images[:5].tolist()})
    await service.client.post(PREDICT, json={})
    await service.client.get("/v2/models/cats")
    text = (await service.client.get("/metrics")).text
    assert 'trainyard_serving_requests_total{code="200",protocol="v1"} 1.0' in text
    assert 'trainyard_serving_requests_total{code="400",protocol="v1"} 1.0' in text
    assert 'trainyard_serving_requests_total{code="404",protocol="v2"} 1.0' in text
    assert 'trainyard_serving_request_seconds_count{protocol="v1"} 2.0' in text
    assert "trainyard_serving_batch_rows_sum 5.0" in text
    assert "trainyard_serving_in_flight 0.0" in text
    sha256 = service.served.model.sha256
    assert (
        f'trainyard_serving_model_info{{name="digits",revision="1-abc",sha256="{sha256}"}} 1.0'
        in text
    )


async def test_probes_and_scrapes_are_not_counted_as_requests(service) -> None:
    await service.client.get("/healthz/live")
    await service.client.get("/metrics")
    text = (await service.client.get("/metrics")).text
    assert "trainyard_serving_requests_total{" not in text


async def test_a_failing_model_gets_500_as_json_and_is_counted(
    service, images, monkeypatch
) -> None:
    def fail(_: np.ndarray) -> np.ndarray:
        raise RuntimeError("out of order")

    monkeypatch.setattr(service.served.model, "predict", fail)
    response = await service.client.post(PREDICT, json={"instances": images[:1].tolist()})
    assert response.status_code == 500
    assert "out of order" not in response.text
    assert response.json()["error"]
    assert 'code="500"' in (await service.client.get("/metrics")).text


async def test_the_root_says_where_to_ask(service) -> None:
    document = (await service.client.get("/")).json()
    assert document["predict"] == PREDICT
    assert (await service.client.get(document["metadata"])).status_code == 200
