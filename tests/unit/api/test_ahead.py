"""Specs that were written for a later version."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard_api.ahead import parse_known
from trainyard_api.problems import InvalidJob

SPEC: dict[str, Any] = {
    "data": {"source": {"uri": "keras://mnist"}},
    "model": {"architecture": "dense"},
    "training": {"epochs": 3, "schedule": {"name": "cosine"}},
    "evaluation": {"metrics": ["accuracy"], "gates": [{"metric": "accuracy", "minimum": 0.9}]},
    "serving": {"rollout": {"progressDeadlineSeconds": 60}},
}
PLACES = [
    (),
    ("data",),
    ("data", "source"),
    ("model",),
    ("training",),
    ("training", "schedule"),
    ("evaluation", "gates", 0),
    ("serving",),
    ("serving", "rollout"),
]
NOVELTY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=4,
)


def with_field(place: tuple[Any, ...], value: object, name: str = "novelty") -> dict[str, Any]:
    spec = copy.deepcopy(SPEC)
    part: Any = spec
    for step in place:
        part = part[step]
    part[name] = value
    return spec


def path(place: tuple[Any, ...], name: str = "novelty") -> str:
    return ".".join(["spec", *(str(step) for step in place), name])


def test_a_spec_of_this_version_has_nothing_unknown() -> None:
    _, unknown = parse_known(SPEC)
    assert unknown == ()


@given(st.lists(st.tuples(st.sampled_from(PLACES), NOVELTY), min_size=1, max_size=4))
def test_fields_of_a_later_version_are_named_and_the_rest_is_read(
    fields: list[tuple[tuple[Any, ...], object]],
) -> None:
    spec = copy.deepcopy(SPEC)
    for place, value in fields:
        part: Any = spec
        for step in place:
            part = part[step]
        part["novelty"] = value
    before = copy.deepcopy(spec)
    known, unknown = parse_known(spec)
    assert known == parse_known(SPEC)[0]
    assert set(unknown) == {path(place) for place, _ in fields}
    assert len(unknown) == len(set(unknown))
    assert spec == before, "the spec itself is left as it is"


def test_a_known_field_that_is_wrong_is_wrong_beside_an_unknown_one() -> None:
    spec = with_field(("training",), 1)
    spec["training"]["epochs"] = "many"
    with pytest.raises(InvalidJob, match=r"spec\.training\.epochs"):
        parse_known(spec)


def test_a_known_field_that_is_wrong_says_so_without_unknown_ones() -> None:
    with pytest.raises(InvalidJob, match=r"spec\.data\.source: is required"):
        parse_known({"data": {}, "model": {"architecture": "dense"}})


@pytest.mark.parametrize("spec", [[], "text", None, 3])
def test_what_is_no_spec_at_all_is_invalid(spec: Any) -> None:
    with pytest.raises(InvalidJob):
        parse_known(spec)


def test_an_unknown_field_in_an_item_of_a_union_is_found() -> None:
    _, unknown = parse_known(with_field(("training",), {"seed": 1}, "reproducibility"))
    assert unknown == ("spec.training.reproducibility",)


def test_a_block_that_a_later_version_allows_to_be_something_else_is_invalid_here() -> None:
    spec = {**SPEC, "serving": "default"}
    with pytest.raises(InvalidJob, match=r"spec\.serving"):
        parse_known(spec)
