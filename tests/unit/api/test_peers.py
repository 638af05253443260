"""The workers of a gang fit into one environment variable, however many they are."""

from __future__ import annotations

import json

import pytest

from trainyard_api.names import MAX_JOB_NAME, gang_service_name, pod_address, pod_name
from trainyard_api.peers import (
    INDEX,
    Peers,
    WrongPeers,
    can_be_inherited,
    parse_peers,
    tf_config_of,
)

PATTERN = "fashion-5f3a9c-train-1-{index}.fashion-5f3a9c-train.default.svc:2222"


def test_peers_mean_the_tf_config_of_all_workers() -> None:
    peers = Peers(pattern=PATTERN, count=2, index=1)
    assert json.loads(tf_config_of({"TRAINYARD_PEERS": peers.encode()})) == {
        "cluster": {"worker": [PATTERN.replace("{index}", str(i)) for i in range(2)]},
        "task": {"type": "worker", "index": 1},
    }


def test_a_thousand_workers_with_the_longest_names_fit() -> None:
    job, run = "a" * MAX_JOB_NAME, "123-abcdef"
    pod = pod_name(job, run, "train", 9999, INDEX)
    pattern = pod_address(pod, gang_service_name(job, run), "n" * 63, 2222)
    peers = Peers(pattern=pattern, count=1000, index=999)
    assert can_be_inherited("TRAINYARD_PEERS", peers.encode())
    assert not can_be_inherited("TF_CONFIG", json.dumps(peers.tf_config()))
    assert parse_peers(peers.encode()) == peers


def test_a_process_has_its_tf_config_or_peers_or_neither() -> None:
    peers = Peers(pattern=PATTERN, count=1, index=0).encode()
    assert tf_config_of({"TF_CONFIG": "mine", "TRAINYARD_PEERS": peers}) == "mine"
    assert tf_config_of({"TF_CONFIG": "", "TRAINYARD_PEERS": ""}) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "TRAINYARD_PEERS"),
        ("[]", "TRAINYARD_PEERS"),
        ('{"pattern": "a:1", "count": 2, "index": 0}', "must have {index} once"),
        ('{"pattern": "{index}{index}:1", "count": 2, "index": 0}', "must have {index} once"),
        ('{"pattern": "{index}:1", "count": 2, "index": 2}', "index 2 is none of 2 workers"),
        ('{"pattern": "{index}:1", "count": 1e9, "index": 0}', "TRAINYARD_PEERS.count"),
    ],
)
def test_what_is_no_gang_says_why(text: str, said: str) -> None:
    with pytest.raises(WrongPeers, match=r"^TRAINYARD_PEERS") as error:
        parse_peers(text)
    assert said in str(error.value)
