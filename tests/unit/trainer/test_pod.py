"""The pod's environment."""

import json

import pytest

from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.pod import Pod

SPEC = json.dumps(
    {"data": {"source": {"uri": "sklearn://digits"}}, "model": {"architecture": "dense"}}
)
ENVIRON = {
    "TRAINYARD_JOB": "digits",
    "TRAINYARD_RUN": "1-5f3a9c",
    "TRAINYARD_SPEC": SPEC,
    "TRAINYARD_STORAGE": "pvc://artifacts/digits/1-5f3a9c",
}


def tf_config(index: int, *, kind: str = "worker", host: str = "a.gang.default.svc") -> str:
    workers = [f"{host}:2222", "b.gang.default.svc:2222"]
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": kind, "index": index}})


def test_pod_without_tf_config_is_a_gang_of_one() -> None:
    pod = Pod.from_environment(ENVIRON)

    assert (pod.count, pod.index, pod.is_chief) == (1, 0, True)
    assert (pod.attempt, pod.host, pod.port) == (1, "::", 8081)
    assert pod.spec.training.batchSize == 128


def test_pod_knows_its_place_in_the_gang() -> None:
    pod = Pod.from_environment(ENVIRON | {"TF_CONFIG": tf_config(1), "TRAINYARD_ATTEMPT": "3"})

    assert (pod.count, pod.index, pod.is_chief, pod.attempt) == (2, 1, False, 3)
    assert pod.workers[1] == "b.gang.default.svc:2222"


def peers(index: int) -> str:
    pattern = "digits-5f3a9c-train-1-{index}.digits-5f3a9c-train.default.svc:2222"
    return json.dumps({"pattern": pattern, "count": 1000, "index": index})


def test_pod_knows_its_place_in_a_very_large_gang() -> None:
    pod = Pod.from_environment(ENVIRON | {"TRAINYARD_PEERS": peers(7)})

    assert (pod.count, pod.index, pod.is_chief) == (1000, 7, False)
    assert pod.workers[999].startswith("digits-5f3a9c-train-1-999.")


def test_tf_config_goes_before_peers() -> None:
    pod = Pod.from_environment(ENVIRON | {"TRAINYARD_PEERS": peers(7), "TF_CONFIG": tf_config(1)})

    assert (pod.count, pod.index) == (2, 1)


@pytest.mark.parametrize("missing", list(ENVIRON))
def test_missing_variable_is_named(missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}

    with pytest.raises(InvalidSpec, match=missing):
        Pod.from_environment(environ)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRAINYARD_SPEC", '{"data": {}}', r"spec\.data\.source"),
        ("TRAINYARD_SPEC", "{", "spec"),
        ("TRAINYARD_PORT", "http", "whole number"),
        ("TF_CONFIG", "{}", "TF_CONFIG"),
        ("TRAINYARD_PEERS", "{}", r"TRAINYARD_PEERS\.pattern"),
        ("TRAINYARD_PEERS", peers(1000), "index 1000 is none of 1000"),
        ("TF_CONFIG", tf_config(1, host="fd00::7"), r"\[HOST\]:PORT"),
        ("TF_CONFIG", tf_config(2), "2 workers"),
        ("TF_CONFIG", tf_config(0, kind="ps"), "ps 0"),
    ],
)
def test_unreadable_variable_says_what_is_wrong(name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        Pod.from_environment(ENVIRON | {name: value})
