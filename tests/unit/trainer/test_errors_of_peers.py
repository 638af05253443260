"""What of TensorFlow's errors means that another worker vanished."""

import json
from collections.abc import Callable

import pytest
import tensorflow as tf

from trainyard_trainer.errors import PeerLost
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.gang import peers_may_vanish

SPEC = {"data": {"source": {"uri": "sklearn://digits"}}, "model": {"architecture": "dense"}}


def pod(workers: int) -> Pod:
    cluster = {"worker": [f"w{i}:2222" for i in range(workers)]}
    return Pod.from_environment(
        {
            "TRAINYARD_JOB": "digits",
            "TRAINYARD_RUN": "1-a",
            "TRAINYARD_SPEC": json.dumps(SPEC),
            "TRAINYARD_STORAGE": "file:///nowhere",
            "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}}),
        }
    )


ABORTED = "Graph execution error:\n\nCollective ops is aborted by: Connection reset\nby task:1"


@pytest.mark.parametrize(
    "error",
    [
        lambda: tf.errors.UnavailableError(None, None, ABORTED),
        lambda: tf.errors.InternalError(None, None, ABORTED),
        lambda: tf.errors.DeadlineExceededError(None, None, "slow"),
        lambda: tf.errors.AbortedError(None, None, "gone"),
    ],
)
def test_error_about_a_peer_is_a_lost_peer(error: Callable[[], Exception]) -> None:
    with pytest.raises(PeerLost), peers_may_vanish(pod(2)):
        raise error()


def test_message_says_why_and_not_where_in_the_graph() -> None:
    with pytest.raises(PeerLost, match="Connection reset by task:1"), peers_may_vanish(pod(2)):
        raise tf.errors.UnavailableError(None, None, ABORTED)


def test_error_about_something_else_stays_what_it_is() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), peers_may_vanish(pod(2)):
        raise tf.errors.InvalidArgumentError(None, None, "incompatible shapes")


def test_worker_alone_has_no_peers() -> None:
    with pytest.raises(tf.errors.UnavailableError), peers_may_vanish(pod(1)):
        raise tf.errors.UnavailableError(None, None, ABORTED)
