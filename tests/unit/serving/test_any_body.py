"""Whatever a client sends, it is answered or refused: it is never our fault (5xx)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_serving.protocol_v1 import predict
from trainyard_serving.protocol_v2 import infer
from trainyard_serving.refusals import Refusal
from trainyard_serving.served import Served
from trainyard_serving.settings import Limits

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=30,
)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats()
INPUTS = st.fixed_dictionaries(
    {
        "name": st.just("keras_tensor"),
        "shape": st.lists(st.integers(-1, 2**33), max_size=4) | st.just([1, 4, 4, 1]),
        "datatype": st.sampled_from(["FP32", "FP16", "UINT8", "INT64", "UINT64", "BOOL", "BYTES"]),
        "data": st.lists(NUMBERS, min_size=16, max_size=16) | JSON,
    }
)


@pytest.fixture(scope="module")
def served(model_files) -> Served:
    return Served(model_files["image"].load(1), "digits", "1-abc", Limits(), 1)


def status_of(decide: Callable[[Served, bytes], bytes], served: Served, document: Any) -> int:
    try:
        decide(served, json.dumps(document).encode())
    except Refusal as refusal:
        return refusal.status
    return 200


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({"instances": JSON | st.lists(st.lists(NUMBERS))}) | JSON)
def test_any_json_is_answered_or_refused_by_v1(served: Served, document: Any) -> None:
    assert status_of(predict, served, document) in (200, 400, 413)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({"inputs": st.lists(INPUTS, max_size=2)}) | JSON)
def test_any_json_is_answered_or_refused_by_v2(served: Served, document: Any) -> None:
    assert status_of(infer, served, document) in (200, 400, 413)
