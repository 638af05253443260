"""The stories and the plan of a chaos run."""

from __future__ import annotations

import random

from tests.chaos.endpoints import leads_to_ready
from tests.chaos.plan import KILL_OPERATOR, KILL_SERVER, KILL_STORE, STOP_OPERATOR, make_plan
from tests.chaos.scripts import SCRIPTS, End, cast
from tests.chaos.weather import WEATHERS


def test_a_seed_gives_one_plan() -> None:
    plans = [make_plan(random.Random(5), 60.0, 2) for _ in range(2)]
    assert plans[0] == plans[1]


def test_a_long_run_sees_everything_go_wrong() -> None:
    plan = make_plan(random.Random(5), 600.0, 2)
    blows = {KILL_OPERATOR, KILL_SERVER, KILL_STORE, STOP_OPERATOR}
    assert {trouble.what for trouble in plan} == {*WEATHERS, *blows}
    assert all(trouble.at + trouble.seconds <= 600.0 for trouble in plan)


def test_every_script_is_played_once_there_are_enough_jobs() -> None:
    roles = cast(len(SCRIPTS), random.Random(5))
    assert {role.name.rpartition("-")[0] for role in roles} == set(SCRIPTS)
    assert len({role.name for role in roles}) == len(SCRIPTS)


def test_an_end_says_how_a_job_differs() -> None:
    status = {"phase": "Succeeded", "run": {"id": "1-a"}, "stages": [{"name": "Train"}]}
    assert End(attempts=None).differs({"status": status}) == ""
    assert End().differs({"status": status}) == "attempts is 0, not 1"
    assert End().differs(None) == "is gone"
    assert End(None).differs(None) == ""
    assert End(None).differs({"status": status}) == "is there"


def test_a_service_answers_by_ready_pods_that_stay() -> None:
    service = {"spec": {"selector": {"run": "a"}}}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    pod = {"metadata": {"labels": {"run": "a"}}, "status": ready}
    assert leads_to_ready(service, [pod])
    assert not leads_to_ready({"spec": {"selector": {"run": "b"}}}, [pod])
    assert not leads_to_ready(service, [{**pod, "status": {}}])
    going = {"labels": {"run": "a"}, "deletionTimestamp": "x"}
    assert not leads_to_ready(service, [{**pod, "metadata": going}])
