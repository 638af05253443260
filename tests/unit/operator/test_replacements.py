"""Who changes whatever is written is not fought, and who asks for something else is served."""

from __future__ import annotations

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.replacements import AGAIN_SECONDS, Replacements

KEY = Key("default", "fashion")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def writes(replacements: Replacements, manifest: Manifest, key: Key = KEY) -> bool:
    """Write an object if that may be; whether it was."""
    may = replacements.may(key, manifest)
    if may:
        replacements.done(key, manifest)
    return may


def service(name: str = "fashion", port: int = 8080, kind: str = "Service") -> Manifest:
    return {"kind": kind, "metadata": {"name": name}, "spec": {"port": port}}


def test_the_same_is_written_once_a_minute() -> None:
    clock = Clock()
    replacements = Replacements(clock)
    written = []
    for _ in range(180):
        written.append(writes(replacements, service()))
        clock.now += 1
    assert written.count(True) == 3, "attempts that were put off put off none further"
    assert written[0]
    assert written[int(AGAIN_SECONDS)]


def test_something_else_is_written_at_once() -> None:
    replacements = Replacements(Clock())
    assert writes(replacements, service(port=8080))
    assert writes(replacements, service(port=9090))
    assert writes(replacements, service(port=8080)), "and so is what was there before that"
    assert not writes(replacements, service(port=8080))


def test_the_order_of_fields_makes_no_difference() -> None:
    replacements = Replacements(Clock())
    assert writes(replacements, {"kind": "Service", "metadata": {"name": "a", "labels": {}}})
    assert not writes(replacements, {"metadata": {"labels": {}, "name": "a"}, "kind": "Service"})


def test_each_object_of_each_job_is_by_itself() -> None:
    replacements = Replacements(Clock())
    assert writes(replacements, service())
    assert writes(replacements, service(name="other"))
    assert writes(replacements, service(kind="Deployment"))
    assert writes(replacements, service(), Key("default", "mnist"))
    assert writes(replacements, service(), Key("other", "fashion"))


def test_only_so_many_are_remembered_and_the_oldest_is_forgotten_first() -> None:
    clock = Clock()
    replacements = Replacements(clock)
    assert writes(replacements, service(name="first"))
    assert writes(replacements, service(name="kept"))
    for number in range(998):
        assert writes(replacements, service(name=f"s-{number}"))
    assert not writes(replacements, service(name="kept"))
    assert writes(replacements, service(name="one-more"))
    assert not writes(replacements, service(name="kept")), "written after it"
    assert writes(replacements, service(name="first"))


def test_what_the_api_server_has_not_taken_is_written_again() -> None:
    replacements = Replacements(Clock())
    assert replacements.may(KEY, service())
    assert replacements.may(KEY, service())
