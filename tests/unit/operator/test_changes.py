"""From one status to the next: what others have written stays, and what is ours is as it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trainyard_operator.hands.cluster.changes import carried_over

NAMES = st.sampled_from(["Train", "Compress", "Serve"])
OURS = st.sampled_from(["phase", "run", "stages", "conditions"])
VALUES = st.integers() | st.text("abc", max_size=3)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"state": VALUES}),
    max_size=3,
    unique_by=lambda item: item["name"],
)
STATUSES = st.dictionaries(OURS, VALUES | st.dictionaries(OURS, VALUES, max_size=2) | ITEMS)
LATER = st.dictionaries(st.sampled_from(["cost", "zone"]), VALUES, max_size=2)


@given(STATUSES, STATUSES)
def test_where_all_is_known_the_new_status_is_what_we_make_of_it(known: Any, new: Any) -> None:
    assert carried_over(known, known, new) == new


@given(STATUSES, STATUSES, LATER)
def test_fields_that_we_do_not_know_stay(known: Any, new: Any, later: Any) -> None:
    raw = {**known, **later}
    assert carried_over(raw, known, new) == {**new, **later}


@given(ITEMS, ITEMS, LATER)
def test_fields_of_an_items_stay_with_the_item(known: Any, new: Any, later: Any) -> None:
    raw = [{**item, **later} for item in known]
    there = {item["name"] for item in known}
    expected = [{**item, **later} if item["name"] in there else item for item in new]
    assert carried_over(raw, known, new) == expected


def test_an_item_that_we_remove_is_gone_whatever_else_it_said() -> None:
    raw = [{"type": "Failed", "status": "True", "severity": 3}, {"type": "Running", "zone": "a"}]
    known = [{"type": "Failed", "status": "True"}, {"type": "Running"}]
    kept = carried_over(raw, known, [{"type": "Running"}])
    assert kept == [{"type": "Running", "zone": "a"}]


def test_items_that_move_take_what_they_have_with_them() -> None:
    raw = [{"name": "a", "x": 1}, {"name": "b", "x": 2}]
    known = [{"name": "a"}, {"name": "b"}]
    moved = carried_over(raw, known, [{"name": "b"}, {"name": "a"}])
    assert moved == [{"name": "b", "x": 2}, {"name": "a", "x": 1}]


def test_items_without_a_name_are_ours_as_a_whole() -> None:
    raw, known = [{"x": 1}, [1], "a"], [{}, [1], "a"]
    assert carried_over(raw, known, [{}, [2], "b"]) == [{}, [2], "b"]


def test_what_has_another_form_than_we_know_becomes_ours() -> None:
    assert carried_over("text", None, {"a": 1}) == {"a": 1}
    assert carried_over({"a": 1}, None, "text") == "text"
    assert carried_over({"a": {"later": 1}}, {}, {"a": {"b": 2}}) == {"a": {"b": 2}}


def test_a_field_that_we_empty_is_gone_with_what_others_wrote_into_it() -> None:
    raw = {"progress": {"percent": 4, "watts": 90}, "cost": 3}
    known = {"progress": {"percent": 4}}
    assert carried_over(raw, known, {}) == {"cost": 3}
